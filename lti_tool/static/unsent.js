// Keeps in this browser what was typed and is not saved: encrypted with a key that only pages of the same person and form
// carry, offered back at the next visit, removed on save or after seven days. autosave.js keeps single fields with it.
// A form that is saved by its button only takes part by an element with data-unsent in it: all of it is kept as it is typed.
// It comes back by asking the server for the form with that text, by the button that data-back names, so that rows that
// were added come back too. Without this script such a form holds its text as long as the page is there.
"use strict";

(() => {
  const WEEK = 7 * 24 * 3600 * 1000;
  const PREFIX = "tandem.text.";
  const WHOLE = "form";
  const NOT_TYPED = new Set(["form_token", "do"]);
  let present = null;
  // The store of a form that was just sent, and of one whose text was just asked for.
  let sent = "";
  let restored = "";

  const store = () => {
    try { return window.localStorage; } catch { return null; }
  };

  const forgetOld = () => {
    const kept = store();
    if (!kept) return;
    for (const name of Object.keys(kept)) {
      if (!name.startsWith(PREFIX)) continue;
      try { if (JSON.parse(kept.getItem(name)).at < Date.now() - WEEK) kept.removeItem(name); } catch { kept.removeItem(name); }
    }
  };

  // What one form keeps in this browser. Every call may fail quietly: a full or forbidden store must not stop anybody.
  const keeper = (name, secret) => {
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const text = (buffer) => btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""));
    const at = (field) => `${PREFIX}${name}.${field}`;
    const turns = {};
    const key = crypto.subtle
      ? crypto.subtle.importKey("raw", bytes(secret), "AES-GCM", false, ["encrypt", "decrypt"]).catch(() => null)
      : Promise.resolve(null);
    return {
      async put(field, value, base) {
        const turn = turns[field] = (turns[field] || 0) + 1;
        try {
          const iv = crypto.getRandomValues(new Uint8Array(12));
          const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key, new TextEncoder().encode(value));
          // Sealing takes a moment; only the last word on a field may reach the store.
          if (turns[field] === turn) store().setItem(at(field), JSON.stringify({ at: Date.now(), base, iv: text(iv), sealed: text(sealed) }));
        } catch { /* no store, no key or no room */ }
      },
      drop(field) {
        turns[field] = (turns[field] || 0) + 1;
        try { store().removeItem(at(field)); } catch { /* no store */ }
      },
      async get(field) {
        try {
          const found = JSON.parse(store().getItem(at(field)));
          if (!found) return null;
          const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(found.iv) }, await key, bytes(found.sealed));
          return { text: new TextDecoder().decode(plain), base: found.base };
        } catch { return null; }
      },
    };
  };

  window.tandem.keeper = keeper;

  const typedIn = (form) => {
    const fields = [...new FormData(form)].filter(([name, value]) => !NOT_TYPED.has(name) && typeof value === "string");
    return new URLSearchParams(fields).toString();
  };

  const tell = (form, text, ...buttons) => {
    const bar = form.querySelector("[data-unsent-notice]");
    const inner = document.createElement("div");
    const said = document.createElement("p");
    said.textContent = text;
    inner.append(said, ...buttons);
    bar.replaceChildren(inner);
    bar.hidden = false;
  };

  const button = (label, act) => {
    const one = document.createElement("button");
    one.type = "button";
    one.className = "btn btn-sm btn-outline-primary me-2";
    one.textContent = label;
    one.addEventListener("click", act);
    return one;
  };

  const begin = async (form, words, wasPosted) => {
    const kept = window.tandem.keeper(words.store, words.storeKey);
    const isTyped = "typed" in words;
    const page = { form, store: words.store };
    const saved = isTyped ? null : typedIn(form);
    const keep = () => {
      const text = typedIn(form);
      if (text === saved) kept.drop(WHOLE); else kept.put(WHOLE, text, words.version);
    };
    const bringBack = (text) => {
      restored = words.store;
      const body = new URLSearchParams(text);
      body.set("do", words.back);
      const proof = form.elements.form_token;
      if (proof) body.set("form_token", proof.value);
      return window.tandem.load(form.action, { method: "POST", body }, { push: false });
    };
    const letGo = () => {
      kept.drop(WHOLE);
      window.tandem.load(location.href, {}, { push: false });
    };
    page.keep = keep;
    present = page;
    if (isTyped) {
      keep();
      if (restored === words.store) tell(form, words.wordRestored, button(words.wordDrop, letGo));
      restored = "";
      return;
    }
    if (wasPosted && sent === words.store) { kept.drop(WHOLE); return; }
    const found = await kept.get(WHOLE);
    if (!found || present !== page || typedIn(form) !== saved) return;
    if (found.text === saved) kept.drop(WHOLE);
    // Once only: where the server did not answer with the text, the person decides.
    else if (found.base === words.version && restored !== words.store) { bringBack(found.text); return; }
    else tell(form, words.wordOffered, button(words.wordUse, () => bringBack(found.text)), button(words.wordDrop, letGo));
    restored = "";
  };

  const changed = (event) => {
    if (present && event.target.closest && event.target.closest("form") === present.form) present.keep();
  };
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);

  // Pages that carry a form's text on, as a preview does, name its store too: what they send may be what saves it.
  document.addEventListener("submit", (event) => {
    const from = event.target.querySelector("[data-store]");
    sent = from ? from.dataset.store : "";
    if (event.submitter && event.submitter.hasAttribute("data-unsent-drop") && from) {
      window.tandem.keeper(from.dataset.store, from.dataset.storeKey).drop(WHOLE);
      present = null;
    }
  }, true);

  document.addEventListener("tandem:page", (event) => {
    const wasPosted = Boolean(event.detail && event.detail.posted);
    const place = document.querySelector("form [data-unsent]");
    const done = document.querySelector("[data-unsent-done]");
    forgetOld();
    if (wasPosted && done && done.dataset.store === sent) window.tandem.keeper(sent, done.dataset.storeKey).drop(WHOLE);
    present = null;
    if (place) begin(place.closest("form"), place.dataset, wasPosted);
    sent = "";
  });
})();
