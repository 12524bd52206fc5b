"use strict";
(() => {
  // ---- tables: sort, filter by split, download

  function sortBy(table, column, heading) {
    const rising = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const numeric = heading.classList.contains("num");
    const key = (row) => {
      const text = row.cells[column].dataset.order;
      return numeric ? (text === "" ? NaN : Number(text)) : text;
    };
    const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
    rows.sort(([a], [b]) => {
      // What is missing stays at the end, whichever the direction.
      if (numeric && (Number.isNaN(a) || Number.isNaN(b))) return Number.isNaN(a) - Number.isNaN(b);
      const order = numeric ? a - b : a.localeCompare(b, undefined, { numeric: true });
      return rising ? order : -order;
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }

  function plainPowers(text) {
    // Programs read 2e-97, people 2·10⁻⁹⁷.
    const digit = (sign) => sign === "⁻" ? "-" : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(sign);
    return text.replace(/·10([⁻⁰¹²³⁴-⁹]+)/g, (_, raised) => "e" + [...raised].map(digit).join(""));
  }

  function field(cell) {
    const text = plainPowers(cell.innerText.replace(/\s*↕|\s*▲|\s*▼/g, "").replace(/\s+/g, " ")).replaceAll("−", "-").trim();
    // A spreadsheet would take such a name for a formula.
    return /^[=+@]/.test(text) && Number.isNaN(Number(text)) ? "'" + text : text;
  }

  function download(table, name) {
    const hidden = [...table.rows].filter((row) => row.hidden);
    for (const row of hidden) row.hidden = false;
    const text = [...table.rows].map((row) => [...row.cells].map(field).join("\t")).join("\n") + "\n";
    for (const row of hidden) row.hidden = true;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/tab-separated-values" }));
    link.download = name + ".tsv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // Words that are sought; each must stand somewhere in the row.
  const plain = (text) => text.normalize("NFKC").toLowerCase().replaceAll("−", "-");

  function show(card, table) {
    const column = Number(table.dataset.groupBy);
    const group = card.querySelector(".filter [aria-pressed=true]")?.dataset.group ?? "";
    const box = card.querySelector(".search input");
    const words = plain(box?.value ?? "").split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const other = group !== "" && row.cells[column].dataset.order !== group;
      const text = words.length ? plain(row.textContent) : "";
      row.hidden = other || !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    if (box) {
      const of = table.tBodies[0].rows.length;
      card.querySelector("output").textContent = words.length ? `${shown} of ${of} rows` : "";
    }
  }

  for (const card of document.querySelectorAll(".card.table")) {
    const table = card.querySelector("table");
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      if (heading.title) button.setAttribute("aria-description", heading.title);
      button.addEventListener("click", () => sortBy(table, column, heading));
      heading.replaceChildren(button);
    });
    const save = card.querySelector(".tsv");
    save.hidden = false;
    save.addEventListener("click", () => download(table, save.dataset.name));
    const filter = card.querySelector(".filter");
    const search = card.querySelector(".search");
    if (filter) {
      filter.hidden = false;
      const buttons = [...filter.querySelectorAll("button")];
      for (const button of buttons) {
        button.addEventListener("click", () => {
          for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
          show(card, table);
        });
      }
    }
    if (search) {
      search.hidden = false;
      search.querySelector("input").addEventListener("input", () => show(card, table));
    }
    if (filter || search) show(card, table);
  }
})();
