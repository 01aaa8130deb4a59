// How far a batch is, asked every two seconds while a worker has it. Without this the page is refreshed by hand.
(function () {
  "use strict";
  const box = document.querySelector("[data-progress]");
  if (!box) return;
  const bar = box.querySelector("progress");
  const said = box.querySelector(".how-far");
  const began = box.dataset.state;
  const hint = box.querySelector("[data-without-script]");
  if (hint) hint.hidden = true;

  async function ask() {
    let found;
    try {
      const answer = await fetch(box.dataset.progress, { credentials: "same-origin", cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      found = await answer.json();
    } catch {
      window.setTimeout(ask, 6000); // the server is away; it is asked again
      return;
    }
    if (!found.is_live) {
      window.location.reload();
      return;
    }
    if (found.state !== began && said.dataset.state !== found.state) said.dataset.state = found.state;
    if (found.total > 0) {
      bar.max = found.total;
      bar.value = Math.min(found.done, found.total);
      said.textContent = `${found.label}: ${found.done} / ${found.total}`;
    } else {
      bar.removeAttribute("value");
      said.textContent = found.label;
    }
    window.setTimeout(ask, 2000);
  }
  window.setTimeout(ask, 700);
})();
