// Keeps a visit alive without cookies (docs/adr/0002): fetches every page with the visit's bearer and swaps the document.
// Without this script every page is plain links and forms, which work wherever a cookie is kept.
"use strict";

(() => {
  const key = () => document.documentElement.dataset.visit || "";
  const prefix = () => `/v/${key()}/`;
  const kept = {};
  let asking = 0;

  const stores = () => [() => window.sessionStorage, () => window.localStorage].flatMap((open) => {
    try { return [open()]; } catch { return []; }
  });

  const platform = () => {
    const from = document.documentElement.dataset;
    return from.storageTarget && from.platformOrigin && window.parent !== window ? from : null;
  };

  // LTI platform storage: a message to the frame that the platform named, an answer from its sign-on origin or nothing.
  const askPlatform = (message, patience = 5000) => new Promise((resolve) => {
    const at = platform();
    if (!at) { resolve(null); return; }
    let frame = window.parent;
    try { if (at.storageTarget !== "_parent") frame = window.parent.frames[at.storageTarget] || window.parent; } catch { /* another origin's frame list */ }
    const id = `tandem-${Date.now()}-${asking += 1}`;
    const answer = (event) => {
      if (event.origin !== at.platformOrigin || !event.data || event.data.message_id !== id) return;
      done(event.data.error ? null : event.data);
    };
    const timer = setTimeout(() => done(null), patience);
    const done = (value) => { clearTimeout(timer); removeEventListener("message", answer); resolve(value); };
    addEventListener("message", answer);
    frame.postMessage({ ...message, message_id: id }, at.platformOrigin);
  });

  const keep = (bearer) => {
    kept.bearer = bearer;
    for (const store of stores()) {
      try { store.setItem(`tandem.visit.${key()}`, JSON.stringify({ bearer, at: Date.now() })); } catch { /* full or forbidden */ }
    }
    return askPlatform({ subject: "lti.put_data", key: `tandem.visit.${key()}`, value: bearer });
  };

  const recall = async () => {
    if (kept.bearer) return kept.bearer;
    for (const store of stores()) {
      try {
        const found = JSON.parse(store.getItem(`tandem.visit.${key()}`));
        if (found) { kept.bearer = found.bearer; return kept.bearer; }
      } catch { /* forbidden or not ours */ }
    }
    const answer = await askPlatform({ subject: "lti.get_data", key: `tandem.visit.${key()}` });
    kept.bearer = (answer && answer.value) || null;
    return kept.bearer;
  };

  const forgetOld = () => {
    const limit = Date.now() - 13 * 3600 * 1000;
    for (const store of stores()) {
      for (const name of Object.keys(store)) {
        if (!name.startsWith("tandem.visit.")) continue;
        try { if (JSON.parse(store.getItem(name)).at < limit) store.removeItem(name); } catch { store.removeItem(name); }
      }
    }
  };

  const send = (url, options = {}) => {
    const headers = new Headers(options.headers || {});
    if (kept.bearer) headers.set("Authorization", `Bearer ${kept.bearer}`);
    return fetch(url, { ...options, headers, credentials: "same-origin", cache: "no-store" });
  };

  const say = (text) => {
    const place = document.getElementById("announce");
    if (place) place.textContent = text;
  };

  // What a page needs after it appears: focus where the reader should start, and word to the small scripts.
  const arrive = (isSwap, posted = false) => {
    document.documentElement.classList.toggle("own-tab", window.parent === window);
    const first = document.querySelector("[data-focus]");
    if (first) { first.setAttribute("tabindex", "-1"); first.focus(); }
    else if (isSwap) document.getElementById("main").focus({ preventScroll: true });
    if (isSwap) say(document.title);
    document.dispatchEvent(new CustomEvent("tandem:page", { detail: { posted } }));
    fitting.disconnect();
    fitting.observe(document.body);
  };

  // Said to whatever page is around us: it holds no secret, the headers name who may frame us, and many platforms have
  // their pages on another origin than the sign-on that we know.
  const sayAround = (message) => { if (window.parent !== window) window.parent.postMessage(message, "*"); };

  // A frame as high as its page, where the platform listens, so that nothing scrolls inside something that scrolls.
  let height = 0;
  const fitting = new ResizeObserver(() => {
    const wanted = Math.max(Math.ceil(document.documentElement.getBoundingClientRect().height), 500);
    if (wanted !== height) sayAround({ subject: "lti.frameResize", height: wanted });
    height = wanted;
  });

  const show = (html, url, { push = true, scroll = 0, posted = false } = {}) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    if (push && url !== location.href) history.pushState({ tandem: true }, "", url);
    document.documentElement.lang = page.documentElement.lang;
    document.title = page.title;
    document.body.replaceWith(document.adoptNode(page.body));
    const anchor = url.split("#")[1] && document.getElementById(url.split("#")[1]);
    if (anchor) anchor.scrollIntoView(); else window.scrollTo(0, scroll);
    // Where the frame does not scroll, the page around it still stands where the last page was left.
    if (!anchor && !scroll) sayAround({ subject: "lti.scrollToTop" });
    arrive(true, posted);
  };

  const load = async (url, options = {}, shown = {}) => {
    document.documentElement.setAttribute("aria-busy", "true");
    try {
      // What this page still has to save comes first, or the next one may show what was there before.
      await Promise.race([window.tandem.settle(), new Promise((done) => { setTimeout(done, 1500); })]);
      const answer = await send(url, { ...options, headers: { Accept: "text/html" } });
      const html = await answer.text();
      const hash = url.split("#")[1];
      show(html, answer.url + (hash && !answer.redirected ? `#${hash}` : ""), { ...shown, posted: options.method === "POST" });
    } catch {
      const lost = document.body.dataset.offline;
      say(lost);
      showOffline(lost);
    } finally {
      document.documentElement.removeAttribute("aria-busy");
    }
  };

  const showOffline = (text) => {
    let bar = document.getElementById("offline");
    if (!bar) {
      bar = document.createElement("div");
      bar.id = "offline";
      bar.className = "notice notice-error offline";
      bar.setAttribute("role", "alert");
      document.getElementById("main").prepend(bar);
    }
    bar.textContent = text;
    bar.scrollIntoView({ block: "nearest" });
  };

  const isOurs = (url) => url.origin === location.origin && url.pathname.startsWith(prefix());

  addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target && link.target !== "_self") return;
    const url = new URL(link.href, location.href);
    if (!isOurs(url)) return;
    if (url.pathname === location.pathname && url.search === location.search && url.hash) return;
    if (isBeginning) { event.preventDefault(); begun.then(() => link.click()); return; }
    if (!kept.bearer) return;
    event.preventDefault();
    remember();
    load(url.href);
  });

  addEventListener("submit", async (event) => {
    const form = event.target;
    const url = new URL((event.submitter && event.submitter.getAttribute("formaction")) || form.getAttribute("action") || location.href, location.href);
    if (event.defaultPrevented || !isOurs(url)) return;
    if (isBeginning) { event.preventDefault(); begun.then(() => form.requestSubmit(event.submitter)); return; }
    if (!kept.bearer) return;
    event.preventDefault();
    const fields = new FormData(form, event.submitter);
    if (form.method !== "post") {
      url.search = new URLSearchParams(fields).toString();
      load(url.href);
      return;
    }
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    const body = form.enctype === "multipart/form-data" ? fields : new URLSearchParams(fields);
    try {
      if (form.hasAttribute("data-new-tab")) await openTab(url.href, body);
      else if (form.hasAttribute("data-download")) await fetchFile(url.href, body);
      else { remember(); await load(url.href, { method: "POST", body }); }
    } finally {
      delete form.dataset.busy;
    }
  });

  const remember = () => history.replaceState({ tandem: true, scroll: window.scrollY }, "");

  const ask = async (url, body) => {
    const answer = await send(url, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
    if (answer && answer.ok) return answer.json();
    if (answer) await load(location.href, {}, { push: false }); else showOffline(document.body.dataset.offline);
    return {};
  };

  // The tab is opened at once, while the browser still sees the person's click behind it.
  const openTab = async (url, body) => {
    const tab = window.open("about:blank", "_blank");
    const { open } = await ask(url, body);
    if (tab && open) { tab.opener = null; tab.location = open; } else if (tab) tab.close(); else if (open) location.assign(open);
  };

  const fetchFile = async (url, body) => {
    const { download } = await ask(url, body);
    if (download) location.assign(download);
  };

  addEventListener("popstate", (event) => {
    if (event.state && event.state.tandem && kept.bearer) load(location.href, {}, { push: false, scroll: event.state.scroll || 0 });
  });

  window.tandem = { fetch: send, key, say, load, settle: async () => {} };

  const begin = async () => {
    // The other scripts must be there to hear of the first page; all of them run before this event.
    if (document.readyState !== "complete") await new Promise((done) => { addEventListener("DOMContentLoaded", done, { once: true }); });
    if (!key()) { arrive(false); return; }
    forgetOld();
    const url = new URL(location.href);
    const code = url.searchParams.get("c");
    if (code) {
      url.searchParams.delete("c");
      history.replaceState({ tandem: true }, "", url.href);
      const answer = await fetch(`${prefix()}enter`, { method: "POST", body: new URLSearchParams({ code }), credentials: "same-origin" });
      // Not waited for: the page needs only what this tab already knows.
      if (answer.ok) keep((await answer.json()).bearer);
    }
    const bearer = await recall();
    const bring = document.getElementById("bring");
    history.replaceState({ tandem: true }, "");
    if (bring && bearer) { await load(url.href, {}, { push: false }); return; }
    if (bring) { bring.querySelector("[data-waiting]").hidden = true; bring.querySelector("[data-lost]").hidden = false; }
    arrive(false);
  };
  let isBeginning = true;
  const begun = begin().finally(() => { isBeginning = false; });
})();
