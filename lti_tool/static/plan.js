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

  // Ever less often, never while somebody looks elsewhere, and the page is exchanged only when there is news.
  let timer = 0;
  const lookLater = (seconds) => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const waiting = document.querySelector("[data-look-again] a");
      if (!waiting) return;
      if (document.hidden || !window.tandem) { lookLater(seconds); return; }
      try {
        const answer = await window.tandem.fetch(waiting.href, { headers: { Accept: "text/html" } });
        if (!answer.ok) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (!page.querySelector("[data-look-again]")) { waiting.click(); return; }
      } catch { /* offline: the next look may do better */ }
      lookLater(Math.min(seconds * 1.5, 30));
    }, seconds * 1000);
  };

  document.addEventListener("tandem:page", () => {
    document.querySelectorAll("[data-choose]").forEach(tell);
    if (document.querySelector("[data-look-again]")) lookLater(3); else clearTimeout(timer);
  });
})();
