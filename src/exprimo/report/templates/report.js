"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  // ---- colours: "@c1" in a figure means --c1 of the style sheet

  function painted(value, style) {
    if (typeof value === "string") {
      return value.startsWith("@") ? style.getPropertyValue("--" + value.slice(1)).trim() : value;
    }
    if (Array.isArray(value)) {
      return typeof value[0] === "object" ? value.map((v) => painted(v, style)) : value;
    }
    if (value && typeof value === "object") {
      const copy = {};
      for (const [key, inner] of Object.entries(value)) {
        // Names and labels may begin with "@" too; only colours are looked up.
        if (key === "colorscale") copy[key] = inner.map(([at, colour]) => [at, painted(colour, style)]);
        else copy[key] = typeof inner !== "string" || ["color", "arrowcolor", "fillcolor"].includes(key) ? painted(inner, style) : inner;
      }
      return copy;
    }
    return value;
  }

  function axis(given, style) {
    const look = (name) => style.getPropertyValue(name).trim();
    return {
      gridcolor: look("--grid"), linecolor: look("--line"), zeroline: false, automargin: true,
      tickfont: { color: look("--text"), size: 12 }, ticks: "", fixedrange: false, showline: true,
      ...given,
      title: { text: given.title.text, standoff: 10, font: { color: look("--text"), size: 13 } },
    };
  }

  function wrapped(text, most) {
    let line = 0;
    return text.split(" ").reduce((all, word) => {
      line += word.length + 1;
      if (line <= most || all === "") return all === "" ? word : all + " " + word;
      line = word.length;
      return all + "<br>" + word;
    }, "");
  }

  function legendLines(figure, width) {
    const names = [...new Set(figure.data.filter((trace) => trace.showlegend).map((trace) => trace.name))];
    let lines = 1;
    let used = 0;
    for (const name of names) {
      const wide = 48 + 7 * name.length;
      if (used > 0 && used + wide > width - 24) { lines += 1; used = 0; }
      used += wide;
    }
    return lines;
  }

  function layoutOf(figure, width) {
    const style = getComputedStyle(document.documentElement);
    const given = painted(figure.layout, style);
    const rows = figure.rows;
    const legend = figure.layout.showlegend ? 18 + 21 * legendLines(figure, width) : 0;
    const slim = width < 480;
    const narrow = rows > 0 && slim;
    let height = (figure.tall && !slim ? 520 : 400) + legend;
    if (rows) height = 110 + legend + (narrow ? 46 : 38) * Math.max(rows, 2);
    if (figure.square) height = Math.min(width, 520) + legend;
    if (figure.cells) height = Math.max(Math.min(width, 520), figure.cells * 11 + 120);
    if (figure.high) height = figure.high + 96 + legend;
    if (figure.stretched) height = 118 + figure.cells * (figure.cells > 12 ? 15 : 30);
    // Names beside points need room; the pointer still tells them where they are left out.
    const notes = given.annotations.filter((note) => note.name !== "note" || width >= (figure.square ? 360 : 560));
    const layout = {
      ...given, height, width, annotations: notes,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: style.getPropertyValue("--text").trim() },
      margin: { l: 12, r: 16, t: 24, b: 12 },
      hovermode: "closest", dragmode: window.matchMedia("(pointer: fine)").matches ? "zoom" : false,
      hoverlabel: { bgcolor: style.getPropertyValue("--card").trim(), font: { color: style.getPropertyValue("--text").trim() } },
      legend: { orientation: "h", x: 0, xanchor: "left", xref: "container", y: 0, yref: "container", yanchor: "bottom", font: { size: 12 }, itemsizing: figure.tall ? "constant" : "trace" },
      xaxis: axis(given.xaxis, style), yaxis: axis(given.yaxis, style),
    };
    for (const name of Object.keys(given)) if (/^yaxis\d+$/.test(name)) layout[name] = axis(given[name], style);
    if (figure.cells) layout.xaxis.tickangle = !figure.stretched && figure.layout.xaxis.tickvals.length > 4 ? -90 : 0;
    if (rows) {
      layout.xaxis.showgrid = true;
      layout.yaxis.showline = false;
      if (narrow) {
        layout.xaxis.title.text = wrapped(layout.xaxis.title.text, 26);
        layout.yaxis.tickfont.size = 11;
        layout.yaxis.ticktext = figure.layout.yaxis.ticktext.map((name) => name.replace(": ", "<br>").replace(" − ", "<br>− ").replace(" (", "<br>("));
      }
    }
    return layout;
  }

  function draw(holder) {
    const figure = figures[holder.dataset.figure];
    const style = getComputedStyle(document.documentElement);
    holder.closest("figure").classList.add("live");
    return Plotly.react(
      holder, painted(figure.data, style), layoutOf(figure, holder.clientWidth),
      { displaylogo: false, displayModeBar: false, responsive: false, doubleClick: "reset" },
    );
  }

  const holders = [...document.querySelectorAll(".plot")];
  let drawnWidth = 0;
  async function drawAll() {
    drawnWidth = window.innerWidth;
    for (const holder of holders) {
      await draw(holder);
      // Let the page scroll and answer between two figures.
      await new Promise((done) => setTimeout(done));
    }
    document.documentElement.dataset.ready = "true";
  }

  // ---- the still pictures

  for (const link of document.querySelectorAll(".still-svg")) {
    link.href = link.closest("figure").querySelector(".still").src;
  }

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

  function show(table, group) {
    const column = Number(table.dataset.groupBy);
    for (const row of table.tBodies[0].rows) {
      row.hidden = group !== "" && row.cells[column].dataset.order !== group;
    }
  }

  for (const card of document.querySelectorAll(".card.table")) {
    const table = card.querySelector("table");
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sortBy(table, column, heading));
      heading.replaceChildren(button);
    });
    const save = card.querySelector(".tsv");
    save.hidden = false;
    save.addEventListener("click", () => download(table, save.dataset.name));
    const filter = card.querySelector(".filter");
    if (filter) {
      filter.hidden = false;
      const buttons = [...filter.querySelectorAll("button")];
      for (const button of buttons) {
        button.addEventListener("click", () => {
          for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
          show(table, button.dataset.group);
        });
      }
      show(table, buttons[0].dataset.group);
    }
  }

  // ---- the contents mark where the reader is

  const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.hash.slice(1), a]));
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-10% 0px -75% 0px" });
  for (const section of document.querySelectorAll("section[id]")) watch.observe(section);

  // ---- draw, and draw again where colours or width change

  dark.addEventListener("change", drawAll);
  let waiting;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (window.innerWidth !== drawnWidth) drawAll(); }, 150);
  });
  drawAll();
})();
