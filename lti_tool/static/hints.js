// Hints beside a field while somebody writes: the rules of lti_tool/hints/rules.py, on the same lists. Nothing of what is
// written leaves the page. Without this script the page shows the hints for what is saved.
"use strict";

(() => {
  const PAUSE = 1200;
  const MOST_SHOWN = 2;
  const REACH = 4;
  const FEWEST_KNOWN = 2;
  const ORDER = ["harsh", "judges_person", "only_praise", "only_blame", "too_short", "no_example"];
  const ASKED = {
    strength: ["harsh", "judges_person", "only_blame", "too_short", "no_example"],
    growth: ["harsh", "judges_person", "only_praise", "too_short"],
    noticed: ["harsh", "judges_person", "too_short", "no_example"],
    effect: ["harsh", "judges_person"],
    adjustment: ["harsh", "judges_person", "too_short"],
  };

  const wordsOf = (text) => text.normalize("NFC").replace(/’/g, "'").toLowerCase().match(/[\p{L}\p{N}]+(?:'[\p{L}\p{N}]+)*/gu) || [];

  const standsIn = (line, entry) => {
    if (entry.startsWith("=")) return line === ` ${entry.slice(1)} `;
    return line.includes(entry.endsWith("*") ? ` ${entry.slice(0, -1)}` : ` ${entry} `);
  };
  const has = (words, entries) => {
    const line = ` ${words.join(" ")} `;
    return entries.some((entry) => standsIn(line, entry));
  };

  const languageOf = (words, lists, ofPage) => {
    const known = ([, { common }]) => words.filter((word) => common.includes(word)).length;
    let best = { language: ofPage, count: 0 };
    for (const each of Object.entries(lists)) {
      const count = known(each);
      if (count > best.count || (count === best.count && each[0] === ofPage)) best = { language: each[0], count };
    }
    return best.count >= FEWEST_KNOWN ? best.language : ofPage;
  };

  const judges = (words, list) => {
    if (has(words, list.of_character)) return true;
    const line = ` ${words.join(" ")} `;
    return list.you_are.some((opener) => line.split(` ${opener} `).slice(1)
      .some((after) => has(after.split(" ").filter(Boolean).slice(0, REACH), list.traits)));
  };

  const hintsOf = (text, craft, ofPage, lists) => {
    const words = wordsOf(text);
    if (!words.length) return [];
    const list = lists[languageOf(words, lists, ofPage)] || lists.en;
    const isShort = words.length < list.fewest_words;
    const namesMoment = () => has(words, list.moment) || /[0-9"“”„«»]/.test(text);
    const speaks = {
      harsh: () => has(words, list.harsh),
      judges_person: () => judges(words, list),
      only_praise: () => has(words, list.nothing_to_try),
      only_blame: () => has(words, list.blame) && !has(words, list.praise),
      too_short: () => isShort,
      no_example: () => !isShort && has(words, list.general) && !namesMoment(),
    };
    return ORDER.filter((hint) => ASKED[craft].includes(hint) && speaks[hint]());
  };

  const begin = (place) => {
    const lists = fetch(place.dataset.hints).then((answer) => answer.json());
    const show = async (field, said) => {
      const found = hintsOf(field.value, said.dataset.craft, place.dataset.language, await lists);
      const text = found.slice(0, MOST_SHOWN).map((hint) => place.getAttribute(`data-word-${hint}`)).join(" ");
      if (said.textContent !== text) said.textContent = text;
    };
    for (const said of document.querySelectorAll("[data-craft]")) {
      const field = document.getElementById(said.dataset.hintFor);
      if (!field) continue;
      let timer = 0;
      const look = () => {
        clearTimeout(timer);
        timer = setTimeout(() => { if (field.isConnected) show(field, said).catch(() => {}); }, PAUSE);
      };
      field.addEventListener("input", look);
      // Text of an earlier visit may have been put back.
      look();
    }
  };

  document.addEventListener("tandem:page", () => {
    const place = document.querySelector("[data-hints]");
    if (place && !place.dataset.begun) { place.dataset.begun = "1"; begin(place); }
  });
  window.tandem = Object.assign(window.tandem || {}, { hintsOf });
})();
