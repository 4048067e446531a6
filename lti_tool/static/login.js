// Gives the browser a secret to keep, in as many places as will take it, and goes on to the platform when one did.
// A cookie was set with the page; here its return is checked. Decided before the platform is asked: its hints work once.
"use strict";

(() => {
  const page = document.getElementById("login");
  const { state, secret, next, storageTarget, storageOrigin } = page.dataset;
  const name = `tandem.login.${state}`;
  const isFramed = window.parent !== window;

  const stores = () => [() => window.sessionStorage, () => window.localStorage].flatMap((open) => {
    try { return [open()]; } catch { return []; }
  });

  const forgetOld = (store) => {
    const limit = Date.now() - 15 * 60 * 1000;
    for (const key of Object.keys(store)) {
      if (!key.startsWith("tandem.login.")) continue;
      let at = 0;
      try { at = JSON.parse(store.getItem(key)).at; } catch { /* not as we write it */ }
      if (at < limit) store.removeItem(key);
    }
  };

  const keepHere = () => stores().map((store) => {
    try {
      forgetOld(store);
      store.setItem(name, JSON.stringify({ secret, at: Date.now() }));
      return JSON.parse(store.getItem(name)).secret === secret;
    } catch { return false; }
  }).some(Boolean);

  const timeZone = () => {
    try { return Intl.DateTimeFormat().resolvedOptions().timeZone || ""; } catch { return ""; }
  };

  // Also tells the server the time zone, which platforms often do not know.
  const cookieKept = async () => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 5000);
    try {
      const body = new URLSearchParams({ state, zone: timeZone() });
      const answer = await fetch(page.dataset.kept, { method: "POST", body, credentials: "same-origin", cache: "no-store", keepalive: true, signal: stop.signal });
      return (await answer.json()).kept === true;
    } catch { return false; } finally { clearTimeout(timer); }
  };

  const platformKept = () => new Promise((resolve) => {
    if (!storageTarget || !isFramed) { resolve(false); return; }
    let frame = window.parent;
    try { if (storageTarget !== "_parent") frame = window.parent.frames[storageTarget] || window.parent; } catch { /* another origin's frame list */ }
    const id = `tandem-put-${state}`;
    const answer = (event) => {
      if (event.origin !== storageOrigin || !event.data || event.data.message_id !== id) return;
      done(!event.data.error);
    };
    const timer = setTimeout(() => done(false), 1500);
    const done = (value) => { clearTimeout(timer); removeEventListener("message", answer); resolve(value); };
    addEventListener("message", answer);
    frame.postMessage({ subject: "lti.put_data", message_id: id, key: name, value: secret }, storageOrigin);
  });

  const yes = async (promise) => { if (!(await promise)) throw new Error("not kept"); };

  const decide = async () => {
    const asked = cookieKept();
    const elsewhere = [yes(asked), yes(platformKept())];
    for (const one of elsewhere) one.catch(() => {});
    try {
      // The launch may follow within milliseconds, and what the server was told should be there by then.
      if (keepHere()) await Promise.race([asked, new Promise((done) => { setTimeout(done, 1000); })]);
      else await Promise.any(elsewhere);
    } catch {
      if (page.dataset.binding === "required") {
        if (!isFramed) { location.replace(page.dataset.blocked); return; }
        page.querySelector("[data-waiting]").hidden = true;
        const offer = page.querySelector("[data-elsewhere]");
        offer.hidden = false;
        offer.querySelector("button").focus();
        return;
      }
    }
    location.replace(next);
  };

  decide();
})();
