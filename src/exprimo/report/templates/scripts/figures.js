"use strict";
// Draws a figure when it comes near the window; until then its still picture stands in its place.
//
// `document.documentElement.dataset.ready` is "true" while every figure near the window is drawn.
// `exprimo.drawAll()` draws all of the page and gives a promise of that.
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

  function heightOf(figure, width) {
    return heightOfPlot(figure, width) + (figure.banner || 0); // a warning above the plot
  }

  function heightOfPlot(figure, width) {
    const legend = figure.layout.showlegend ? 18 + 21 * legendLines(figure, width) : 0;
    const slim = width < 480;
    if (figure.stretched) return 118 + figure.cells * (figure.cells > 12 ? 15 : 30);
    if (figure.high) return figure.high + 96 + legend;
    if (figure.cells) return Math.max(Math.min(width, 520), figure.cells * 11 + 120);
    if (figure.square) return Math.min(width, 520) + legend;
    if (figure.rows) return 110 + legend + (slim ? 46 : 38) * Math.max(figure.rows, 2);
    return (figure.tall && !slim ? 520 : 400) + legend;
  }

  function layoutOf(figure, width) {
    const style = getComputedStyle(document.documentElement);
    const given = painted(figure.layout, style);
    const rows = figure.rows;
    const narrow = rows > 0 && width < 480;
    const height = heightOf(figure, width);
    // Names beside points need room; the pointer still tells them where they are left out.
    const notes = given.annotations.filter((note) => note.name !== "note" || width >= (figure.square ? 360 : 560));
    const layout = {
      ...given, height, width, annotations: notes,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: style.getPropertyValue("--text").trim() },
      margin: { l: 12, r: 16, t: 24 + (figure.banner || 0), b: 12 },
      hovermode: "closest", dragmode: window.matchMedia("(pointer: fine)").matches ? "zoom" : false,
      hoverlabel: { bgcolor: style.getPropertyValue("--card").trim(), font: { color: style.getPropertyValue("--text").trim() } },
      legend: { orientation: "h", x: 0, xanchor: "left", xref: "container", y: 0, yref: "container", yanchor: "bottom", font: { size: 12 }, tracegroupgap: 0, maxheight: 0.9, itemsizing: figure.tall ? "constant" : "trace" },
      xaxis: axis(given.xaxis, style), yaxis: axis(given.yaxis, style),
    };
    for (const name of Object.keys(given)) if (/^yaxis\d+$/.test(name)) layout[name] = axis(given[name], style);
    // The title of an axis is broken where it would be longer than its axis.
    const legend = figure.layout.showlegend ? 18 + 21 * legendLines(figure, width) : 0;
    for (const name of Object.keys(layout).filter((key) => /^yaxis\d*$/.test(key))) {
      const [from, to] = layout[name].domain || [0, 1];
      const most = Math.floor(((height - legend - 90) * (to - from)) / 6.8);
      if (layout[name].title.text.length > most) layout[name].title.text = wrapped(layout[name].title.text, most);
    }
    const across = Math.floor((width - 90) / 6.8);
    if (layout.xaxis.title.text.length > across) layout.xaxis.title.text = wrapped(layout.xaxis.title.text, across);
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

  // ---- plotly is run when the first figure needs it, not before

  // Reads base64 of a zlib stream.
  function inflated(text) {
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
  }

  async function needPlotly() {
    if (window.Plotly) return;
    const held = document.getElementById("plotly");
    const script = document.createElement("script");
    script.textContent = await inflated(held.textContent).text();
    held.remove();
    document.body.append(script);
  }

  function draw(holder) {
    const figure = figures[holder.dataset.figure];
    const style = getComputedStyle(document.documentElement);
    holder.closest("figure").classList.add("live"); // from here on it has a width
    return Plotly.react(
      holder, painted(figure.data, style), layoutOf(figure, holder.clientWidth),
      { displaylogo: false, displayModeBar: false, responsive: false, doubleClick: "reset" },
    );
  }

  // ---- room of the right height, so that nothing moves when a figure is drawn

  // A browser that cannot inflate (of before 2023) keeps the still pictures.
  const able = "DecompressionStream" in window;
  const holders = able ? [...document.querySelectorAll(".plot")] : [];
  function makeRoom() {
    // All are measured before any is changed: else the page would be laid out once for each.
    const widths = holders.map((holder) => holder.parentElement.clientWidth);
    holders.forEach((holder, i) => {
      if (!widths[i]) return; // in a closed part of the page
      const stage = holder.parentElement;
      stage.style.height = heightOf(figures[holder.dataset.figure], widths[i]) + "px";
      stage.classList.add("held");
      stage.parentElement.classList.add("awaited");
    });
  }

  // ---- what is near the window is drawn, one figure at a time

  const near = new Set();
  const fresh = new Set();
  let drawing = null;
  const pause = () => new Promise((done) => setTimeout(done));

  async function drawWhile(wanted) {
    document.documentElement.dataset.ready = "false";
    await pause();
    for (;;) {
      const holder = holders.find((one) => wanted.has(one) && !fresh.has(one) && one.parentElement.clientWidth);
      if (!holder) break;
      await needPlotly();
      fresh.add(holder);
      await draw(holder);
      // Let the page scroll and answer between two figures.
      await pause();
    }
    document.documentElement.dataset.ready = "true";
  }

  function drawNear() {
    drawing ??= drawWhile(near).finally(() => { drawing = null; });
    return drawing;
  }

  async function drawAll() {
    await drawing;
    await drawWhile(new Set(holders));
  }

  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const holder = entry.target.querySelector(".plot");
      if (entry.isIntersecting) near.add(holder);
      else near.delete(holder);
    }
    drawNear();
  }, { rootMargin: "500px 0px" });

  function drawAnew() {
    fresh.clear();
    for (const holder of holders) if (!near.has(holder)) holder.closest("figure").classList.remove("live");
    makeRoom();
    drawNear();
  }

  let width = window.innerWidth;
  let waiting;
  dark.addEventListener("change", drawAnew);
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (window.innerWidth === width) return;
      width = window.innerWidth;
      drawAnew();
    }, 150);
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.querySelector(".plot")) makeRoom();
  }, true);

  makeRoom();
  if (!holders.length) document.documentElement.dataset.ready = "true";
  // After the first paint, so that the page can be read before plotly is run.
  requestAnimationFrame(() => setTimeout(() => holders.forEach((holder) => watch.observe(holder.parentElement))));
  window.exprimo = { drawAll, inflated };

  // ---- the pictures can be taken along

  function save(name, blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function painting(still) {
    const canvas = document.createElement("canvas");
    const scale = 1600 / still.naturalWidth;
    canvas.width = 1600;
    canvas.height = Math.round(still.naturalHeight * scale);
    const brush = canvas.getContext("2d");
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.drawImage(still, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  for (const card of document.querySelectorAll("figure.figure")) {
    const still = card.querySelector(".still");
    const svg = card.querySelector(".as-svg");
    const png = card.querySelector(".as-png");
    if (still.src.startsWith("data:image/png")) { // a picture of too many marks
      png.href = still.src;
      svg.remove();
      continue;
    }
    svg.addEventListener("click", () => { svg.href = still.src; });
    png.addEventListener("click", async (event) => {
      event.preventDefault();
      still.loading = "eager";
      await still.decode();
      save(png.download, await painting(still));
    });
  }
})();
