// Saves every field as it is typed, and keeps what could not be saved in this browser (see unsent.js), offered back at
// the next visit and removed on save.
// A form takes part by an element with data-autosave (where to save) in it; its fields by data-kept. Without this script the buttons save.
"use strict";

(() => {
  const PAUSE = 800;
  const device = Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => byte.toString(36).padStart(2, "0")).join("").slice(0, 16);
  let present = [];

  const tidy = (text) => text.replace(/\r\n?/g, "\n");

  const begin = (form, words) => {
    const kept = window.tandem.keeper(words.store, words.storeKey);
    const url = new URL(words.autosave, location.href).href;
    const first = Number(words.version);
    const fields = new Map();
    const page = { form, left: false, over: false };
    let timer = 0;
    let pause = 0;
    let flying = null;

    for (const element of form.querySelectorAll("[data-kept]")) {
      const field = fields.get(element.name) || { name: element.name, elements: [], base: first, dirty: false };
      field.elements.push(element);
      fields.set(element.name, field);
    }
    const read = ({ elements }) => {
      if (elements[0].type !== "radio") return tidy(elements[0].value);
      const chosen = elements.find((each) => each.checked);
      return chosen ? chosen.value : "";
    };
    const write = ({ elements }, value) => {
      const [element] = elements;
      if (element.type === "radio") for (const each of elements) each.checked = each.value === value;
      else if (element.value !== value) {
        const { value: before, selectionStart: start, selectionEnd: end } = element;
        element.value = value;
        // Text that somebody else put before the caret moves it along.
        if (document.activeElement === element) element.setSelectionRange(moved(start, before, value), moved(end, before, value));
      }
    };
    const moved = (place, before, after) => {
      let same = 0;
      while (same < place && before[same] === after[same]) same += 1;
      return same < place ? Math.max(same, place + after.length - before.length) : place;
    };
    for (const field of fields.values()) field.synced = read(field);
    if (form.elements.device) form.elements.device.value = device;

    const status = (name) => form.querySelector(`[data-saved-for="${CSS.escape(name)}"]`);
    const tell = (name, text) => {
      const place = status(name);
      if (place) place.textContent = text;
    };
    const notice = (text, ...more) => {
      const bar = form.parentElement.querySelector("[data-autosave-notice]");
      if (!bar) return;
      const inner = document.createElement("div");
      inner.append(text, ...more);
      bar.replaceChildren(inner);
      bar.hidden = !text;
    };
    const dirty = () => [...fields.values()].filter((field) => field.dirty);

    const mend = ({ name, elements }) => {
      const said = document.getElementById(`${name}-error`);
      if (said) said.remove();
      for (const each of elements) {
        each.classList.remove("is-invalid");
        each.removeAttribute("aria-invalid");
      }
    };

    const touch = (field) => {
      if (read(field).trim()) mend(field);
      field.dirty = read(field) !== field.synced;
      if (!field.dirty) { kept.drop(field.name); return; }
      kept.put(field.name, read(field), field.base);
      tell(field.name, page.over ? words.wordOver : words.wordSaving);
      plan(PAUSE);
    };
    const plan = (after) => {
      clearTimeout(timer);
      if (!page.over && !page.left) timer = setTimeout(save, after);
    };

    const save = () => {
      if (!flying) flying = send().finally(() => { flying = null; });
      return flying;
    };
    const send = async () => {
      clearTimeout(timer);
      const sent = new Map(dirty().map((field) => [field, read(field)]));
      if (!sent.size || page.over) return;
      const body = new URLSearchParams({ device });
      const proof = form.elements.form_token;
      if (proof) body.set("form_token", proof.value);
      for (const field of fields.values()) body.set(`base.${field.name}`, String(field.base));
      for (const [field, value] of sent) {
        body.set(field.name, value);
        if ("shared" in words) body.set(`was.${field.name}`, field.synced);
      }
      let answer;
      try {
        answer = await window.tandem.fetch(url, { method: "POST", body, headers: { Accept: "application/json" }, keepalive: body.toString().length < 60000 });
        if (answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status));
      } catch {
        for (const field of sent.keys()) tell(field.name, words.wordOffline);
        pause = Math.min(30000, pause ? pause * 2 : 2000);
        plan(pause);
        return;
      }
      pause = 0;
      if (!answer.ok) { await refused(answer, sent); return; }
      took(await answer.json(), sent);
      if (dirty().length) plan(PAUSE);
    };
    const refused = async (answer, sent) => {
      // A text that is too long can be shortened and saved; nothing else of what is refused gets better by trying.
      page.over = answer.status !== 413;
      let said = words.wordOver;
      if (answer.status !== 401) {
        const { error, is_kept: isKept } = await answer.json().catch(() => ({}));
        said = `${words.wordRefused} ${error || answer.status}${isKept ? ` ${words.wordKept}` : ""}`;
      }
      for (const field of sent.keys()) tell(field.name, said);
      notice(said);
    };
    const took = (saved, sent) => {
      for (const [field, value] of sent) {
        field.synced = value;
        field.base = saved.version;
        field.dirty = read(field) !== value;
        if (field.dirty) kept.put(field.name, read(field), field.base);
        else { kept.drop(field.name); tell(field.name, words.wordSaved.replace("{time}", saved.clock)); }
        const note = field.elements[0].closest("li") && field.elements[0].closest("li").querySelector("[data-note-text]");
        if (note) note.textContent = value;
      }
      if (form.elements.base) form.elements.base.value = saved.version;
      for (const [name, { text, version }] of Object.entries(saved.newer)) {
        const field = fields.get(name);
        if (!field) continue;
        if (field.dirty) {
          // Typed on since: the next save says that it began with what was sent, not with what is stored now.
          if (sent.has(field)) field.base = version - 1;
          continue;
        }
        show(field, text, version);
        if (words.wordElsewhere) notice(words.wordElsewhere);
      }
      if (saved.has_conflict) {
        const link = document.createElement("a");
        link.href = location.href.split("#")[0];
        link.textContent = words.wordShow;
        notice(`${words.wordConflict} `, link);
      }
      if (saved.is_read) notice(words.wordReleased);
    };

    const show = (field, text, version) => {
      write(field, text);
      Object.assign(field, { synced: text, base: version, dirty: false });
      kept.drop(field.name);
    };

    // Text of an earlier visit that never reached us: put back where nothing newer stands, offered where something does.
    const bringBack = async () => {
      const notes = [...form.querySelectorAll("[data-note-text]")].map((each) => tidy(each.textContent).trim());
      for (const field of fields.values()) {
        const found = await kept.get(field.name);
        if (!found || page.left) continue;
        const isThere = found.text.trim() === field.synced.trim() || (field.name === "note_draft" && notes.includes(found.text.trim()));
        if (isThere) kept.drop(field.name);
        else if (field.dirty) continue;
        else if (found.base >= first || field.synced.trim() === "") {
          write(field, found.text);
          touch(field);
          notice(words.wordRestored);
        } else offer(field, found.text);
      }
    };
    const offer = (field, text) => {
      const place = status(field.name);
      if (!place) return;
      const box = document.createElement("div");
      box.className = "notice notice-warn";
      const inner = document.createElement("div");
      const said = document.createElement("p");
      said.textContent = words.wordOffered;
      const quote = document.createElement("p");
      quote.className = "quote";
      quote.textContent = text;
      const button = (label, kind, act) => {
        const one = document.createElement("button");
        one.type = "button";
        one.className = `btn btn-sm ${kind}`;
        one.textContent = label;
        one.addEventListener("click", () => { box.remove(); act(); });
        return one;
      };
      inner.append(
        said,
        quote,
        button(words.wordUse, "btn-outline-primary", () => { write(field, text); touch(field); field.elements[0].focus(); }),
        button(words.wordDrop, "btn-link", () => { kept.drop(field.name); field.elements[0].focus(); }),
      );
      box.append(inner);
      place.after(box);
    };

    form.addEventListener("input", (event) => {
      const field = fields.get(event.target.name);
      if (!field || !event.target.hasAttribute("data-kept")) return;
      if (field.name === "note_draft" && form.elements.note_at) {
        if (!read(field)) form.elements.note_at.value = "";
        else if (!form.elements.note_at.value) form.elements.note_at.value = new Date().toISOString();
      }
      touch(field);
    });
    // A form is sent once what it holds is saved, so that nothing stays behind in the browser; it is sent anyway after
    // a moment, since its own fields carry the text too.
    form.addEventListener("submit", (event) => {
      if (page.flushed || page.over || !dirty().length) { page.flushed = false; return; }
      event.preventDefault();
      event.stopImmediatePropagation();
      const pressed = event.submitter;
      Promise.race([save().then(save), new Promise((resolve) => { setTimeout(resolve, 2500); })]).then(() => {
        page.flushed = true;
        form.requestSubmit(pressed);
      });
    });

    page.save = save;
    // The same form as it stands on the server now; what is being typed here stays.
    page.follow = (theirs) => {
      const version = Number(theirs.querySelector("[data-autosave]").dataset.version);
      for (const field of fields.values()) {
        const elements = [...theirs.querySelectorAll(`[name="${CSS.escape(field.name)}"]`)];
        if (field.dirty || flying || !elements.length) continue;
        show(field, read({ elements }), version);
      }
      if (form.elements.base) form.elements.base.value = version;
    };
    page.leave = () => {
      save();
      page.left = true;
      clearTimeout(timer);
    };
    page.again = () => { if (dirty().length) plan(0); };
    bringBack();
    return page;
  };

  document.addEventListener("tandem:page", () => {
    const places = [...document.querySelectorAll("form [data-autosave]")];
    const forms = places.map((place) => place.closest("form"));
    for (const page of present) if (!forms.includes(page.form)) page.leave();
    const known = present.filter((page) => forms.includes(page.form));
    const begun = places.filter((place) => !known.some((page) => page.form === place.closest("form")));
    present = [...known, ...begun.map((place) => begin(place.closest("form"), place.dataset))];
    // Who takes notes while observing writes the next one at once.
    const added = document.querySelector("form [data-note-added]");
    if (added && begun.length) added.closest("form").elements.note_draft.focus();
  });
  document.addEventListener("tandem:newer", ({ detail }) => {
    for (const page of present) {
      const theirs = detail.querySelector(`form[data-step="${page.form.dataset.step}"]`);
      if (page.form.dataset.step && theirs && theirs.querySelector("[data-autosave]")) page.follow(theirs);
    }
  });
  const saveAll = () => Promise.all(present.map((page) => page.save()));
  window.tandem.settle = saveAll;
  addEventListener("online", () => { for (const page of present) page.again(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") saveAll(); });
  addEventListener("pagehide", saveAll);
})();
