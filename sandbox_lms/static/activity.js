// A tool may ask for more height, where the product listens.
const listens = document.querySelector('meta[name="lms-resizes"]');
window.addEventListener("message", (event) => {
  const frame = document.getElementById("tool");
  const asked = event.data;
  if (!frame || event.source !== frame.contentWindow || !asked || asked.subject !== "lti.frameResize") return;
  const height = Number.parseInt(asked.height, 10);
  if (listens && listens.content === "yes" && height > 0) frame.style.height = `${Math.min(height, 20000)}px`;
});
