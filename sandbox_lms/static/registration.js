// The tool says that it is done; only its own frame is believed.
window.addEventListener("message", (event) => {
  const frame = document.getElementById("tool");
  if (event.source === frame.contentWindow && event.data && event.data.subject === "org.imsglobal.lti.close") {
    window.location.assign("/admin");
  }
});
