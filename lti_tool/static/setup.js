// Makes the set-up page instant: a button that changes the rubric or the rounds swaps only that part of the page.
// The answer is the page that the button would open without this script, so nothing is decided here.
"use strict";

(() => {
  // Focus is set by hand: a browser heeds the attribute once per document, and complains about it later.
  const fieldToType = (part) => {
    const field = part && part.querySelector("[autofocus]");
    if (field) field.removeAttribute("autofocus");
    return field;
  };

  const openOnes = (region) => [...region.querySelectorAll("details")].map((one) => one.open);

  const swap = async (form, button) => {
    const region = document.getElementById(button.dataset.press);
    const answer = await window.tandem.fetch(form.action, {
      method: "POST",
      headers: { Accept: "text/html" },
      body: new URLSearchParams(new FormData(form, button)),
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = answer.ok && page.getElementById(region.id);
    if (!fresh) throw new Error("no such part");
    const before = openOnes(region);
    const field = fieldToType(fresh);
    region.replaceWith(document.adoptNode(fresh));
    const after = fresh.querySelectorAll("details");
    // With as many criteria as before, those that were open stay open.
    if (after.length === before.length) after.forEach((one, place) => { one.open = one.open || before[place]; });
    window.tandem.say(fresh.dataset.said);
    fresh.dispatchEvent(new Event("input", { bubbles: true }));
    if (field) field.focus();
  };

  document.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (!button || !button.dataset.press || !window.tandem) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.target.dataset.busy) return;
    event.target.dataset.busy = "1";
    try {
      await swap(event.target, button);
    } catch {
      window.tandem.say(document.body.dataset.offline);
    } finally {
      delete event.target.dataset.busy;
    }
  }, true);

  // A field that shows in another part of the page presses that part's button. While one is on its way, it waits.
  let waiting = null;
  const pressLater = (id) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const button = document.getElementById(id);
      if (button && button.form.dataset.busy) pressLater(id);
      else if (button && window.tandem) button.click();
    }, 250);
  };
  document.addEventListener("change", (event) => {
    if (event.target.dataset.presses) pressLater(event.target.dataset.presses);
  });

  document.addEventListener("tandem:page", () => {
    const field = fieldToType(document.getElementById("setup"));
    if (field) field.focus();
    // An address of a document of its own: it leaves this page, and with it what the page's policy allows.
    const onward = document.querySelector("a[data-open]");
    if (onward) location.assign(onward.href);
  });
})();
