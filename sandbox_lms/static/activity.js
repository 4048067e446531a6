// A tool may ask for more height, and for its beginning to be shown, where the product listens.
const listens = document.querySelector('meta[name="lms-resizes"]');
window.addEventListener("message", (event) => {
  const frame = document.getElementById("tool");
  const asked = event.data;
  if (!frame || event.source !== frame.contentWindow || !asked || !listens || listens.content !== "yes") return;
  // Like Canvas: only a number counts, and the frame never becomes lower than this.
  if (asked.subject === "lti.frameResize" && typeof asked.height === "number") {
    frame.style.height = `${Math.min(Math.max(asked.height, 450), 20000)}px`;
  }
  if (asked.subject === "lti.scrollToTop") frame.scrollIntoView({ block: "start" });
});
