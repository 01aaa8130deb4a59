// What a pattern reads of the sample, said while it is typed.
(function () {
  "use strict";
  const said = document.querySelector("[data-try]");
  const pattern = document.querySelector("#id_pattern");
  const sample = document.querySelector("#id_sample");
  if (!said || !pattern || !sample) return;
  let waiting = 0;

  async function ask() {
    const query = new URLSearchParams({ pattern: pattern.value, sample: sample.value });
    try {
      const answer = await fetch(`${said.dataset.try}?${query}`, { credentials: "same-origin", cache: "no-store" });
      if (answer.ok) said.textContent = (await answer.json()).said;
    } catch {
      said.textContent = ""; // it is tried again at the next key, and when the form is saved
    }
  }
  for (const field of [pattern, sample]) {
    field.addEventListener("input", () => {
      window.clearTimeout(waiting);
      waiting = window.setTimeout(ask, 250);
    });
  }
  ask();
})();
