// Keeps the page of a meeting as it is for the others of the group: asks for it with the version that it has, and takes
// over what changed. What is being typed here stays (see autosave.js). Without this script a reload does the same.
"use strict";

(() => {
  const SOON = 1500;
  const HIDDEN = 20000;
  const SLOWEST = 30000;
  let timer = 0;
  let ticking = 0;

  const takeOver = (page) => {
    for (const news of page.querySelectorAll("[data-live]")) {
      const old = document.getElementById(news.id);
      if (old && old.innerHTML !== news.innerHTML && !old.contains(document.activeElement)) old.innerHTML = news.innerHTML;
    }
    document.dispatchEvent(new CustomEvent("tandem:newer", { detail: page }));
    tick();
  };

  const follow = (place) => {
    let pause = SOON;
    const next = () => {
      clearTimeout(timer);
      if (place.isConnected) timer = setTimeout(ask, document.visibilityState === "hidden" ? Math.max(pause, HIDDEN) : pause);
    };
    const ask = async () => {
      try {
        const answer = await window.tandem.fetch(place.dataset.meeting, { headers: { Accept: "text/html", "If-None-Match": place.dataset.version } });
        if (answer.status === 200) {
          takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
          place.dataset.version = answer.headers.get("ETag") || "";
        }
        // A visit that is over or a group that has changed is said by the next page, and does not get better by asking.
        if ([401, 403, 404].includes(answer.status)) return;
        pause = answer.status === 429 || answer.status >= 500 ? Math.min(SLOWEST, pause * 2) : SOON;
      } catch {
        pause = Math.min(SLOWEST, pause * 2);
      }
      next();
    };
    document.addEventListener("visibilitychange", next);
    next();
  };

  // The time left of the step that runs, by how much of it had gone when the page was made: a clock that is wrong here
  // changes nothing.
  const tick = () => {
    clearInterval(ticking);
    const shown = document.querySelector("[data-timer]");
    if (!shown) return;
    const began = performance.now() - Number(shown.dataset.elapsed) * 1000;
    const show = () => {
      if (!shown.isConnected) { clearInterval(ticking); return; }
      const left = Math.round(Number(shown.dataset.timer) - (performance.now() - began) / 1000);
      const time = `${Math.floor(Math.abs(left) / 60)}:${String(Math.abs(left) % 60).padStart(2, "0")}`;
      shown.textContent = (left < 0 ? shown.dataset.wordOver : shown.dataset.wordLeft).replace("{time}", time);
      shown.classList.toggle("over", left < 0);
    };
    show();
    ticking = setInterval(show, 1000);
  };

  const openNamed = () => {
    const part = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (part && part.matches("details")) part.open = true;
  };

  document.addEventListener("tandem:page", () => {
    clearTimeout(timer);
    const place = document.querySelector("[data-meeting]");
    if (!place) return;
    openNamed();
    follow(place);
    tick();
  });
  addEventListener("hashchange", openNamed);
})();
