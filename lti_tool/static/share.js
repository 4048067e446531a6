// Says how many points are left while somebody shares them out. Without this script the page says it of what is saved.
"use strict";

(() => {
  const PAUSE = 800;

  const wordsFor = (place, texts) => {
    if (!texts.every((text) => /^[0-9]{0,9}$/.test(text))) return place.dataset.wordNumbers;
    const left = Number(place.dataset.points) - texts.reduce((sum, text) => sum + Number(text), 0);
    if (left === 0) return place.dataset.wordDone;
    return (left > 0 ? place.dataset.wordLeft : place.dataset.wordOver).replace("{num}", Math.abs(left));
  };

  const begin = (place) => {
    const fields = [...place.closest("fieldset").querySelectorAll("input[inputmode=numeric]")];
    let timer = 0;
    const look = () => {
      const text = wordsFor(place, fields.map((field) => field.value.trim()));
      if (place.textContent !== text) place.textContent = text;
    };
    // After a pause, so that a screen reader does not speak at every key.
    const later = () => { clearTimeout(timer); timer = setTimeout(look, PAUSE); };
    for (const field of fields) field.addEventListener("input", later);
    // Text of an earlier visit may have been put back.
    later();
  };

  document.addEventListener("tandem:page", () => {
    for (const place of document.querySelectorAll("[data-points]:not([data-begun])")) {
      place.dataset.begun = "1";
      begin(place);
    }
  });
})();
