// Ends a dynamic registration: tells the platform's window, and nobody else's, that we are done.
"use strict";

for (const button of document.querySelectorAll("[data-close]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const platform = window.opener || window.parent;
    for (const origin of button.dataset.close.split(" ")) {
      // A window of another origin does not get the message.
      platform.postMessage({ subject: "org.imsglobal.lti.close" }, origin);
    }
  });
}
