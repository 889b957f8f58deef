/* Comfort on top of pages that work without it: palette, keys, polling, copying. No eval, no inline handlers. */
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const typing = (node) => node instanceof HTMLElement && (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName));
  const remember = (name, value) => { document.cookie = `${name}=${value};path=/;max-age=31536000;samesite=lax`; };

  // --- palette ------------------------------------------------------------------------------------
  const palette = document.getElementById("palette");
  const results = document.getElementById("palette-results");
  const input = palette?.querySelector("input");
  let asked = 0;
  let timer = 0;

  async function look() {
    const mine = ++asked;
    try {
      const response = await fetch(`/palette/?q=${encodeURIComponent(input.value)}`, { headers: { "X-Palette": "1" }, cache: "no-store" });
      if (mine !== asked || !response.ok) return;
      results.innerHTML = await response.text();
      move(results, "a", 0, true);
    } catch { /* offline: the form still works */ }
  }

  function move(scope, selector, by, first = false) {
    const all = [...scope.querySelectorAll(selector)].filter((node) => node.offsetParent !== null);
    if (!all.length) return null;
    const now = all.findIndex((node) => node.classList.contains("at"));
    const next = first ? 0 : Math.min(Math.max(now + by, 0), all.length - 1);
    all.forEach((node) => node.classList.remove("at"));
    all[next].classList.add("at");
    all[next].scrollIntoView({ block: "nearest" });
    return all[next];
  }

  function openPalette() {
    if (!palette || palette.open) return;
    palette.showModal();
    input.select();
    look();
  }

  input?.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 120); });
  palette?.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(results, "a", event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && event.target === input) {
      const chosen = results.querySelector("a.at");
      if (chosen) { event.preventDefault(); chosen.click(); }
    }
  });
  palette?.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });

  // --- keys: / searches, j and k walk through a list, Enter opens ----------------------------------
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); openPalette(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || palette?.open) return;
    if (event.key === "/") {
      const search = document.querySelector("main input[type=search]");
      if (search) { event.preventDefault(); search.focus(); }
    } else if (event.key === "j" || event.key === "k") {
      const row = move(document, "table.rows tbody tr, [data-row]", event.key === "j" ? 1 : -1);
      row?.querySelector("a")?.focus({ preventScroll: true });
    }
  });

  // --- clicks --------------------------------------------------------------------------------------
  document.addEventListener("click", async (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    if (target.closest("[data-palette]") && palette) { event.preventDefault(); openPalette(); return; }
    if (target.closest("[data-collapse]")) {
      const collapsed = root.dataset.sidebar !== "collapsed";
      if (collapsed) root.dataset.sidebar = "collapsed"; else delete root.dataset.sidebar;
      remember("sidebar", collapsed ? "collapsed" : "open");
    }
    const copy = target.closest("[data-copy]");
    if (copy && navigator.clipboard) {
      await navigator.clipboard.writeText(copy.dataset.copy);
      const text = copy.textContent;
      copy.textContent = "✓";
      setTimeout(() => { copy.textContent = text; }, 900);
    }
    // One filter menu open at a time, and none after a click elsewhere.
    document.querySelectorAll("details.filter[open]").forEach((node) => { if (!node.contains(target)) node.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.filter[open]").forEach((node) => { node.open = false; node.querySelector("summary").focus(); });
    const drawer = document.getElementById("drawer");
    if (drawer) drawer.checked = false;
  });

  // --- a form is sent once; what was typed is not lost by accident ---------------------------------
  let changed = false;
  document.addEventListener("input", (event) => { if (event.target.closest?.("form[data-guard]")) changed = true; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  document.addEventListener("submit", (event) => {
    changed = false;
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });

  // --- polling: what says data-poll is asked again every 15 s, not while the tab is hidden ----------
  setInterval(() => {
    if (document.hidden || !window.htmx) return;
    document.querySelectorAll("[data-poll]").forEach((node) => window.htmx.trigger(node, "poll"));
  }, 15000);

  // --- Django's own widgets: a box that searches gets its field's name, a table wider than its place can be reached by keys ---
  const complete = () => {
    document.querySelectorAll("select.admin-autocomplete").forEach((select) => {
      const label = document.querySelector(`label[for="${select.id}"]`);
      const box = select.nextElementSibling?.querySelector("[role=combobox]");
      if (!label || !box) return;
      label.id ||= `${select.id}_label`;
      box.setAttribute("aria-labelledby", `${label.id} select2-${select.id}-container`);
      box.querySelector(".select2-selection__rendered")?.setAttribute("aria-labelledby", label.id);
    });
    document.querySelectorAll(".inline-group fieldset").forEach((node) => { if (node.scrollWidth > node.clientWidth) node.tabIndex = 0; });
  };
  window.addEventListener("load", complete);
  window.django?.jQuery?.(complete); // Django's own boxes are made in its ready queue, maybe after the load event: this joins the end of it
  document.addEventListener("formset:added", () => setTimeout(complete));

  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  document.querySelector("[data-focus]")?.focus();
})();
