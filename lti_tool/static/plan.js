// Makes the plan page lighter to use: says who is chosen, and looks again by itself while groups are being worked out.
// Without it the ticked names are sent just the same, and a link looks again.
"use strict";

(() => {
  const ticked = (form) => [...form.querySelectorAll('input[name="who"]:checked')];

  const tell = (form) => {
    const place = form.querySelector("[data-chosen]");
    if (!place) return;
    const names = ticked(form).map((box) => box.closest("label").querySelector("span").textContent.trim());
    place.hidden = false;
    place.textContent = names.length ? `${place.dataset.some} ${names.join(", ")}` : place.dataset.none;
  };

  document.addEventListener("change", (event) => {
    const form = event.target.name === "who" && event.target.closest("[data-choose]");
    if (form) tell(form);
  });

  // What somebody has typed, ticked, opened or is about to type stays: the page is not exchanged under their hands.
  // What is served open carries data-shown: nobody opened it.
  const isChanged = (field) => {
    if (field === document.activeElement) return true;
    if (!field.options) return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
    return field.selectedIndex !== Math.max(0, [...field.options].findIndex((one) => one.defaultSelected));
  };
  const isInUse = () => {
    const main = document.getElementById("main");
    const fields = [...main.querySelectorAll("input:not([type=hidden]), textarea, select")];
    return fields.some(isChanged) || main.querySelector("details[open]:not([data-shown])") !== null;
  };

  // Ever less often, never while somebody looks elsewhere, and the page is exchanged only when there is news.
  let timer = 0;
  const lookLater = (seconds) => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const waiting = document.querySelector("[data-look-again]");
      const link = waiting && waiting.querySelector("a");
      if (!link) return;
      if (document.hidden || !window.tandem || isInUse()) { lookLater(seconds); return; }
      try {
        const answer = await window.tandem.fetch(link.href, { headers: { Accept: "text/html" } });
        if (!answer.ok) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("[data-look-again]");
        if (isInUse()) { lookLater(seconds); return; }
        if (!fresh) {
          document.getElementById("main").replaceWith(document.adoptNode(page.getElementById("main")));
          window.tandem.say(page.title);
          document.dispatchEvent(new CustomEvent("tandem:page"));
          return;
        }
        if (fresh.textContent !== waiting.textContent) waiting.replaceWith(document.adoptNode(fresh));
      } catch { /* offline: the next look may do better */ }
      lookLater(Math.min(seconds * 1.5, 30));
    }, seconds * 1000);
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });

  // What is folded would be missing on paper.
  window.addEventListener("beforeprint", () => document.querySelectorAll("main details:not([open], .not-on-paper)").forEach((one) => { one.open = true; one.dataset.folded = ""; }));
  window.addEventListener("afterprint", () => document.querySelectorAll("details[data-folded]").forEach((one) => { one.open = false; delete one.dataset.folded; }));

  document.addEventListener("tandem:page", () => {
    document.querySelectorAll("[data-print]").forEach((button) => { button.hidden = false; });
    document.querySelectorAll("[data-choose]").forEach(tell);
    if (document.querySelector("[data-look-again]")) lookLater(3); else clearTimeout(timer);
  });
})();
