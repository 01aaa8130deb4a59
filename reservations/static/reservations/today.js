// The front desk's page works without this. It adds: focus where the work was, arrow keys on a board,
// names while one types, a jump, a print button, and a button that is pressed once.
"use strict";

(() => {
  const KEPT = "desk-scroll";
  const byId = (id) => document.getElementById(id);

  // ---------------------------------------------------------------- focus goes where the work is
  const focusable = (element) =>
    element.matches("a[href], button, input, select, textarea, [tabindex]") ? element : element.querySelector("a[href]");

  const cellNear = (id) => {
    // The cell may have gone with its booking: the one that now covers its time, in the same row.
    const found = /^at-(\d+)-(\d+)$/.exec(id);
    if (!found) return null;
    const before = [...document.querySelectorAll(`[id^="at-${found[1]}-"]`)].filter((one) => one.id <= id);
    return before.pop() || byId(`list-${found[1]}`);
  };

  const goTo = (id) => {
    const target = byId(id) || cellNear(id);
    const inside = target && focusable(target);
    if (!inside) return false;
    inside.focus({ preventScroll: true });
    inside.scrollIntoView({ block: "nearest" });
    return true;
  };

  // The browser goes to the fragment by itself while the page loads; ours comes after that.
  const settle = () => {
    const panel = byId("panel");
    const told = document.querySelector("[data-focus]");
    const kept = sessionStorage.getItem(KEPT);
    sessionStorage.removeItem(KEPT);
    if (kept !== null) window.scrollTo({ top: Number(kept), behavior: "instant" });
    if (panel && (told || location.hash === "#panel")) {
      const first = told || panel.querySelector("#id_book-member, .desk-steps button, summary") || panel;
      first.focus({ preventScroll: true });
      if (getComputedStyle(panel).position === "static") panel.scrollIntoView();
      if (told) told.scrollIntoView({ block: "nearest" });
    } else if (location.hash.length > 1) {
      goTo(decodeURIComponent(location.hash.slice(1)));
    }
  };
  window.addEventListener("load", () => setTimeout(settle));
  // A target that can hold the focus has it from the browser already, and this event comes later, when
  // quick fingers may be further on: taking them back would lose their place.
  window.addEventListener("hashchange", () => {
    const target = byId(location.hash.slice(1));
    if (!target || target.id === "panel" || focusable(target) !== target) settle();
  });

  // The page comes back at the height at which something on it was opened or sent.
  const keep = () => sessionStorage.setItem(KEPT, String(window.scrollY));
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".desk-work a[href^='?']");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) keep();
  });
  document.addEventListener("submit", (event) => { if (event.target.method === "post") keep(); });

  // -------------------------------------------------- a board is one stop for each row, then arrows
  document.querySelectorAll("table[data-board]").forEach((board) => {
    const rows = [...board.tBodies[0].rows].map((row) => [...row.querySelectorAll("td a")]).filter((row) => row.length);
    rows.forEach((links) => links.slice(1).forEach((link) => link.setAttribute("tabindex", "-1")));
    const move = (link) => {
      const row = rows.find((links) => links.includes(link));
      row.forEach((one) => one.setAttribute("tabindex", one === link ? "0" : "-1"));
      link.focus();
    };
    board.addEventListener("focusin", (event) => {
      const row = rows.find((links) => links.includes(event.target));
      if (row) row.forEach((one) => one.setAttribute("tabindex", one === event.target ? "0" : "-1"));
    });
    board.addEventListener("keydown", (event) => {
      const y = rows.findIndex((links) => links.includes(event.target));
      if (y < 0 || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
      const x = rows[y].indexOf(event.target);
      const middle = (link) => { const box = link.getBoundingClientRect(); return box.left + box.width / 2; };
      const nearest = (links) => links.reduce((best, one) =>
        Math.abs(middle(one) - middle(event.target)) < Math.abs(middle(best) - middle(event.target)) ? one : best);
      const to = {
        ArrowRight: () => rows[y][x + 1],
        ArrowLeft: () => rows[y][x - 1],
        ArrowDown: () => rows[y + 1] && nearest(rows[y + 1]),
        ArrowUp: () => rows[y - 1] && nearest(rows[y - 1]),
        Home: () => rows[y][0],
        End: () => rows[y][rows[y].length - 1],
      }[event.key];
      if (!to) return;
      event.preventDefault();
      const link = to();
      if (link) move(link);
    });
  });
  const keys = document.querySelector(".desk-keys");
  if (keys) keys.hidden = false;

  // Escape closes what is open, back to where it was opened from.
  document.addEventListener("keydown", (event) => {
    const close = document.querySelector(".desk-close");
    if (event.key === "Escape" && close && !event.defaultPrevented) close.click();
  });

  // --------------------------------------------------------------------------- names while typing
  const field = document.querySelector("[data-members]");
  const list = byId("members");
  if (field && list) {
    let timer = 0;
    let asked = "";
    field.addEventListener("input", () => {
      clearTimeout(timer);
      document.querySelectorAll("input[name=book-chosen]").forEach((one) => { one.checked = false; });
      timer = setTimeout(async () => {
        const text = field.value.trim();
        if (text.length < 2 || text === asked) return;
        asked = text;
        const answer = await fetch(`${location.pathname}members/?q=${encodeURIComponent(text)}`, { credentials: "same-origin" });
        if (!answer.ok || field.value.trim() !== text) return;
        const { members } = await answer.json();
        list.replaceChildren(...members.map((one) => {
          const option = document.createElement("option");
          option.value = one.number;
          option.label = `${one.name} (${one.number})`;
          return option;
        }));
      }, 200);
    });
  }

  // -------------------------------------------------------------------------------- small buttons
  document.querySelectorAll("[data-print]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  });
  document.querySelectorAll("[data-jump]").forEach((select) => {
    select.addEventListener("change", () => {
      if (select.value) { history.replaceState(null, "", `#${select.value}`); goTo(select.value); select.value = ""; }
    });
  });
  // The button that was pressed goes along with the form, so it is switched off only afterwards.
  document.querySelectorAll("form[method=post]").forEach((form) => {
    form.addEventListener("submit", () => {
      setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
    });
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll(".desk-form button, .desk-list button").forEach((button) => { button.disabled = false; });
  });
})();
