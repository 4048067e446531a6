// Shows the launch what the login gave this browser to keep. Without it the launch is refused, with a page that says why.
"use strict";

(() => {
  const form = document.getElementById("proof");
  const { storageTarget, storageOrigin } = form.dataset;
  const name = `tandem.login.${form.elements.state.value}`;

  const keptHere = () => {
    for (const open of [() => window.sessionStorage, () => window.localStorage]) {
      try {
        const store = open();
        const found = JSON.parse(store.getItem(name));
        store.removeItem(name);
        if (found && found.secret) return found.secret;
      } catch { /* forbidden or not ours */ }
    }
    return "";
  };

  const keptByPlatform = () => new Promise((resolve) => {
    if (!storageTarget || window.parent === window) { resolve(""); return; }
    let frame = window.parent;
    try { if (storageTarget !== "_parent") frame = window.parent.frames[storageTarget] || window.parent; } catch { /* another origin's frame list */ }
    const id = `tandem-get-${name}`;
    const answer = (event) => {
      if (event.origin !== storageOrigin || !event.data || event.data.message_id !== id) return;
      done(typeof event.data.value === "string" && !event.data.error ? event.data.value : "");
    };
    const timer = setTimeout(() => done(""), 1500);
    const done = (value) => { clearTimeout(timer); removeEventListener("message", answer); resolve(value); };
    addEventListener("message", answer);
    frame.postMessage({ subject: "lti.get_data", message_id: id, key: name }, storageOrigin);
  });

  const prove = async () => {
    form.elements.secret.value = keptHere() || await keptByPlatform();
    form.submit();
  };

  prove();
})();
