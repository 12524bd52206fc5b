"use strict";
// A logo of one sequence: letters as high as what they contribute, to zoom into and to move along.
//
// Buttons, keys (+ − ← → Home End), the wheel while the logo has the focus, dragging, and two
// fingers do the same.
window.exprimoGene.logo = (() => {
  const { svg, html, picture, text, ticks, number, signed, whole } = window.exprimoGene;
  const BASES = "ACGTN";
  // Outlines in a square of 100, top left first.
  const GLYPHS = [
    "M0 100L38 0H62L100 100H78L70 77H30L22 100ZM36 60H64L50 18Z",
    "M100 30C94 11 77 0 54 0C22 0 0 20 0 50C0 80 22 100 54 100C77 100 94 89 100 70L78 64C74 76 66 82 54 82C36 82 23 70 23 50C23 30 36 18 54 18C66 18 74 24 78 36Z",
    "M100 28C94 10 77 0 54 0C22 0 0 20 0 50C0 80 22 100 54 100C73 100 90 93 100 82V46H54V63H78V74C72 80 64 82 54 82C36 82 23 70 23 50C23 30 36 18 54 18C66 18 74 23 78 34Z",
    "M0 0H100V19H61V100H39V19H0Z",
  ];
  const LEAST = 12; // bases in view
  const LEGIBLE = 5; // pixels of a letter
  const HEIGHT = 190;
  const STRIP = 26;
  const LEFT = 46;

  // `gene`: {codes, values, tss, unit, name, marks: [{at, label}]}; draws into `holder`.
  return function logo(holder, gene) {
    const { codes, values, tss } = gene;
    const n = values.length;
    let start = 0;
    let span = n;
    let cursor = -1;
    let width = 0;
    const top = values.reduce((most, value) => Math.max(most, value), 0);
    const bottom = values.reduce((least, value) => Math.min(least, value), 0);
    const room = Math.max(top - bottom, 1e-12);

    const stage = html("div", {
      class: "logo-stage", tabindex: "0", role: "group",
      "aria-label": `Importance of each base of ${gene.name}: plus and minus zoom, arrow keys move`,
    });
    const readout = html("output", { class: "logo-readout", "aria-live": "off" });
    const place = (base) => base - tss;
    const tell = (base) =>
      `${signed(place(base), 9)} ${BASES[codes[base]]}: ${signed(values[base], 3)} ${gene.unit}`;

    function x(base) { return LEFT + ((base - start) / span) * (width - LEFT - 4); }
    function y(value) { return 8 + ((top - value) / room) * (HEIGHT - 36); }

    function letters(from, to) {
      const wide = (width - LEFT - 4) / span;
      const groups = [[], [], [], []];
      for (let base = from; base < to; base += 1) {
        const high = Math.abs(y(values[base]) - y(0));
        if (codes[base] > 3 || high < 0.3) continue;
        const upper = Math.min(y(values[base]), y(0));
        groups[codes[base]].push(svg("path", {
          d: GLYPHS[codes[base]],
          transform: `translate(${(x(base) + wide * 0.04).toFixed(2)} ${upper.toFixed(2)}) scale(${(wide * 0.0092).toFixed(5)} ${(high / 100).toFixed(5)})`,
        }));
      }
      return groups.map((paths, k) => svg("g", { class: `base-${BASES[k]}` }, ...paths));
    }

    // Further out each column of pixels shows the extremes of its bases.
    function bars(from, to) {
      const columns = new Map();
      for (let base = from; base < to; base += 1) {
        const at = Math.round(x(base + 0.5));
        const [low, high] = columns.get(at) ?? [0, 0];
        columns.set(at, [Math.min(low, values[base]), Math.max(high, values[base])]);
      }
      let up = "";
      let down = "";
      for (const [at, [low, high]] of columns) {
        if (high > 0) up += `M${at} ${y(0).toFixed(1)}V${y(high).toFixed(1)}`;
        if (low < 0) down += `M${at} ${y(0).toFixed(1)}V${y(low).toFixed(1)}`;
      }
      return [svg("path", { d: up, class: "bars-up" }), svg("path", { d: down, class: "bars-down" })];
    }

    function axes(picture_) {
      const low = place(start);
      for (const tick of ticks(low, low + span - 1, width < 500 ? 4 : 8)) {
        if (!Number.isInteger(Number(tick.toFixed(6)))) continue;
        const at = x(tick + tss + 0.5);
        picture_.append(
          svg("line", { x1: at, x2: at, y1: HEIGHT - 24, y2: HEIGHT - 20, class: "axis" }),
          text(at, HEIGHT - 8, signed(tick, 9), { "text-anchor": "middle" }),
        );
      }
      for (const tick of ticks(bottom, top, 4)) {
        picture_.append(
          svg("line", { x1: LEFT, x2: width - 4, y1: y(tick), y2: y(tick), class: tick === 0 ? "axis" : "grid" }),
          text(LEFT - 6, y(tick) + 4, number(tick, 2), { "text-anchor": "end" }),
        );
      }
      if (tss >= start && tss < start + span) {
        const at = x(tss + 0.5);
        picture_.append(
          svg("line", { x1: at, x2: at, y1: 4, y2: HEIGHT - 24, class: "tss" }),
          text(at + 4, 12, "TSS", { class: "tss-word" }),
        );
      }
    }

    function marks(picture_) {
      for (const mark of gene.marks ?? []) {
        if (mark.at < start || mark.at >= start + span) continue;
        const at = x(mark.at + 0.5);
        const made = svg("path", { d: `M${at - 4} ${HEIGHT - 20}h8l-4 -7z`, class: "mark" });
        made.append(svg("title", {}, mark.label));
        picture_.append(made);
      }
    }

    function strip() {
      const made = picture(width, STRIP, "Where in the window the logo stands");
      made.classList.add("logo-strip");
      const wide = width - LEFT - 4;
      const at = (base) => LEFT + (base / n) * wide;
      const most = Math.max(top, -bottom, 1e-12);
      let path = "";
      const columns = Math.min(n, Math.round(wide));
      for (let k = 0; k < columns; k += 1) {
        let high = 0;
        const until = Math.max(Math.floor(((k + 1) * n) / columns), Math.floor((k * n) / columns) + 1);
        for (let base = Math.floor((k * n) / columns); base < until; base += 1) high = Math.max(high, Math.abs(values[base]));
        path += `M${at((k + 0.5) * (n / columns)).toFixed(1)} ${STRIP - 3}v${(-(high / most) * (STRIP - 6)).toFixed(1)}`;
      }
      made.append(
        svg("rect", { x: LEFT, y: 1, width: wide, height: STRIP - 2, class: "strip-room" }),
        svg("path", { d: path, class: "strip-bars" }),
        svg("rect", { x: at(start), y: 1, width: Math.max((span / n) * wide, 3), height: STRIP - 2, class: "strip-view" }),
      );
      made.addEventListener("pointerdown", (event) => {
        const base = ((event.clientX - made.getBoundingClientRect().left - LEFT) / wide) * n;
        show(base - span / 2, span);
      });
      return made;
    }

    function draw() {
      width = Math.max(Math.floor(stage.clientWidth), 240);
      const from = Math.max(Math.floor(start), 0);
      const to = Math.min(Math.ceil(start + span), n);
      const one = picture(width, HEIGHT, `${gene.alt} In view: ${signed(place(from), 9)} to ${signed(place(to - 1), 9)}.`);
      one.classList.add("logo-svg");
      const clip = `clip-${stage.dataset.key}`;
      one.append(svg("clipPath", { id: clip }, svg("rect", { x: LEFT, y: 0, width: width - LEFT - 4, height: HEIGHT })));
      axes(one);
      const legible = (width - LEFT - 4) / span >= LEGIBLE;
      one.append(svg("g", { "clip-path": `url(#${clip})`, class: legible ? "letters" : "bars" }, ...(legible ? letters(from, to) : bars(from, to))));
      marks(one);
      if (cursor >= from && cursor < to) {
        one.append(svg("rect", { x: x(cursor), y: 4, width: Math.max((width - LEFT - 4) / span, 1), height: HEIGHT - 28, class: "cursor" }));
      }
      stage.replaceChildren(one, strip());
      readout.textContent = cursor >= 0 ? tell(cursor) : `${whole(Math.round(span))} of ${whole(n)} bases`;
    }

    let waiting = 0;
    function redraw() {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(draw);
    }

    function show(from, wide) {
      span = Math.min(Math.max(wide, Math.min(LEAST, n)), n);
      start = Math.min(Math.max(from, 0), n - span);
      redraw();
    }

    function zoom(factor, around = start + span / 2) {
      const wide = Math.min(Math.max(span * factor, Math.min(LEAST, n)), n);
      show(around - ((around - start) / span) * wide, wide);
    }

    const baseAt = (event) => {
      const left = stage.getBoundingClientRect().left;
      return start + ((event.clientX - left - LEFT) / (width - LEFT - 4)) * span;
    };

    stage.addEventListener("wheel", (event) => {
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!event.ctrlKey && document.activeElement !== stage) return; // the page scrolls
      event.preventDefault();
      if (sideways) show(start + (event.deltaX / width) * span, span);
      else zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.006), baseAt(event));
    }, { passive: false });

    stage.addEventListener("keydown", (event) => {
      const moves = {
        ArrowLeft: () => show(start - span / 8, span), ArrowRight: () => show(start + span / 8, span),
        Home: () => show(0, span), End: () => show(n - span, span), 0: () => show(0, n),
        "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1 / 0.7), "−": () => zoom(1 / 0.7),
      };
      if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      moves[event.key]();
    });

    const fingers = new Map();
    let held = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.target.closest(".logo-strip")) return;
      fingers.set(event.pointerId, event);
      held = { x: event.clientX, start, span, between: spread() };
      stage.setPointerCapture(event.pointerId);
    });
    function spread() {
      const [a, b] = [...fingers.values()];
      return b ? Math.max(Math.abs(a.clientX - b.clientX), 10) : 0;
    }
    stage.addEventListener("pointermove", (event) => {
      if (fingers.has(event.pointerId)) {
        fingers.set(event.pointerId, event);
        if (fingers.size === 2) {
          const middle = held.start + held.span / 2;
          const wide = held.span * (held.between / spread());
          show(middle - wide / 2, wide);
        } else show(held.start - ((event.clientX - held.x) / (width - LEFT - 4)) * held.span, held.span);
        return;
      }
      const base = Math.floor(baseAt(event));
      cursor = base >= 0 && base < n && event.clientX >= stage.getBoundingClientRect().left + LEFT ? base : -1;
      redraw();
    });
    for (const name of ["pointerup", "pointercancel"]) {
      stage.addEventListener(name, (event) => {
        fingers.delete(event.pointerId);
        held = fingers.size ? { x: [...fingers.values()][0].clientX, start, span, between: 0 } : null;
      });
    }
    stage.addEventListener("pointerleave", () => { cursor = -1; redraw(); });

    function button(words, label, act) {
      const made = html("button", { type: "button", "aria-label": label }, words);
      made.addEventListener("click", act);
      return made;
    }
    const strongest = () => {
      const at = values.reduce((best, value, k) => (Math.abs(value) > Math.abs(values[best]) ? k : best), 0);
      const wide = Math.min(Math.round(stage.clientWidth / 9), 100);
      show(at - wide / 2, wide);
    };
    const bar = html("div", { class: "logo-bar" },
      button("+", "Zoom in", () => zoom(0.5)), button("−", "Zoom out", () => zoom(2)),
      button("←", "Move upstream", () => show(start - span / 4, span)),
      button("→", "Move downstream", () => show(start + span / 4, span)),
      button("whole window", "Show the whole window", () => show(0, n)),
      button("strongest", "Show the most important base", strongest), readout);
    stage.dataset.key = gene.key;
    holder.replaceChildren(bar, stage);
    strongest();
    cancelAnimationFrame(waiting);
    draw();
    return { redraw: draw, show };
  };
})();
