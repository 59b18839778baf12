"use strict";
// Each part decides for itself; what was decided outlives a reload where it may.
for (const part of document.querySelectorAll(".doubted")) {
  const list = JSON.parse(part.querySelector("script").textContent);
  const cards = [...part.querySelectorAll(".suspect")];
  const key = "suspects of " + part.dataset.name + " " + list.rows.map((row) => row[0]).join().length;
  const decided = new Map(recall());

  function recall() {
    try {
      return Object.entries(JSON.parse(localStorage.getItem(key)) || {});
    } catch {
      return [];
    }
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(Object.fromEntries(decided)));
    } catch {
      // a page without storage forgets on reload
    }
  }

  function show() {
    let changed = 0;
    let removed = 0;
    let kept = 0;
    for (const card of cards) {
      const choice = decided.get(card.dataset.row);
      card.toggleAttribute("data-done", choice !== undefined);
      for (const button of card.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", String(button.dataset.choice === choice));
      }
      if (choice === "") removed += 1;
      else if (choice === card.dataset.label) kept += 1;
      else if (choice !== undefined) changed += 1;
    }
    part.querySelector("[role=status]").textContent =
      `${kept} kept, ${changed} changed, ${removed} removed, ` +
      `${cards.length - kept - changed - removed} to go`;
  }

  function decide(card, choice) {
    if (choice === null) decided.delete(card.dataset.row);
    else decided.set(card.dataset.row, choice);
    keep();
    show();
  }

  function go(card, step) {
    const next = cards[cards.indexOf(card) + step];
    if (next) next.focus();
  }

  function press(card, event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const name = list.classes[Number(event.key) - 1];
    if (event.key === "ArrowRight") go(card, 1);
    else if (event.key === "ArrowLeft") go(card, -1);
    else if (event.key.toLowerCase() === "u") decide(card, null);
    else if (event.key.toLowerCase() === "x") {
      decide(card, "");
      go(card, 1);
    } else if (name !== undefined) {
      decide(card, name);
      go(card, 1);
    } else return;
    event.preventDefault();
  }

  function corrected() {
    const quote = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
    const rows = [list.columns];
    list.rows.forEach((row, number) => {
      const choice = decided.get(String(number));
      if (choice !== "") rows.push([row[0], choice ?? row[1], ...row.slice(2)]);
    });
    return rows.map((row) => row.map(quote).join(",") + "\n").join("");
  }

  for (const card of cards) {
    card.addEventListener("keydown", (event) => press(card, event));
    card.addEventListener("click", (event) => {
      const choice = event.target.dataset.choice;
      if (choice !== undefined) decide(card, choice);
    });
  }
  part.querySelector(".download").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([corrected()], { type: "text/csv" }));
    link.download = "corrected.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  show();
}
