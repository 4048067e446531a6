// Sends the page's one form by itself. Without this script its button does the same.
"use strict";

(() => {
  const form = document.querySelector("form[data-post]");
  // Going back to this page must not send it a second time: its answer is good for one use.
  const [entry] = performance.getEntriesByType("navigation");
  if (form && !(entry && entry.type === "back_forward")) form.submit();
})();
