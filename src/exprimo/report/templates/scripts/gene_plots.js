"use strict";
// The plots of one gene: predictions, chromatin profiles, variants, and where the gene lies.
window.exprimoGene.plots = (() => {
  const { svg, picture, text, ticks, number, signed, whole, shortened } = window.exprimoGene;

  function bottomAxis(made, low, high, x, y, width, title) {
    const values = ticks(low, high, width < 500 ? 4 : 7);
    for (const tick of values) {
      made.append(
        svg("line", { x1: x(tick), x2: x(tick), y1: 6, y2: y, class: "grid" }),
        text(x(tick), y + 16, number(tick), { "text-anchor": "middle" }),
      );
    }
    const half = title.length * 3.2; // of the words' width: they stay inside where there is room
    const middle = Math.max(Math.min((x(low) + x(high)) / 2, width - half), Math.min(half, width / 2));
    made.append(text(middle, y + 34, title, { "text-anchor": "middle", class: "axis-title" }));
  }

  // One row a model: a point, what it may be off by, and the observed value as a line.
  function predictions(width, rows, observed, title, bounds) {
    const high = rows.length * 26 + 8;
    const left = Math.min(220, Math.round(width * 0.38));
    const ends = rows.flatMap((row) => [row.mean - (row.half || 0), row.mean + (row.half || 0)]);
    const all = [...ends, observed].filter(Number.isFinite);
    if (!all.length) return null;
    let low = bounds ? bounds[0] : Math.min(...all);
    let top = bounds ? bounds[1] : Math.max(...all);
    const room = (top - low || 1) * 0.05;
    [low, top] = [low - room, top + room];
    const x = (value) => left + ((value - low) / (top - low)) * (width - left - 12);
    const told = rows.map((row) => `${row.name} ${number(row.mean)}`).join(", ");
    const seen = Number.isFinite(observed) ? `observed ${number(observed)}` : "nothing observed";
    const made = picture(width, high + 42, `Predictions of each model, ${seen}: ${told}`);
    bottomAxis(made, low + room, top - room, x, high, width, title);
    if (Number.isFinite(observed)) {
      made.append(svg("line", { x1: x(observed), x2: x(observed), y1: 2, y2: high, class: "observed" }));
    }
    rows.forEach((row, k) => {
      const y = 17 + k * 26;
      const name = text(left - 10, y + 4, shortened(row.name, Math.floor(left / 7)), { "text-anchor": "end" });
      name.append(svg("title", {}, row.name));
      made.append(name);
      if (!Number.isFinite(row.mean)) return;
      const group = svg("g", { class: row.role });
      if (row.half > 0) {
        const [a, b] = [Math.max(row.mean - row.half, low), Math.min(row.mean + row.half, top)];
        group.append(svg("line", { x1: x(a), x2: x(b), y1: y, y2: y, class: "spread" }));
      }
      group.append(
        svg("circle", { cx: x(row.mean), cy: y, r: 5 }),
        svg("title", {}, `${row.name}: ${number(row.mean)}${row.half > 0 ? ` ± ${number(row.half)}` : ""}`),
      );
      made.append(group);
    });
    return made;
  }

  // One track a mark, over the window around the TSS.
  function profile(width, marks, bins, binSize, units) {
    const left = Math.min(110, Math.round(width * 0.26));
    const track = 46;
    const x = (bin) => left + (bin / bins) * (width - left - 12);
    const names = marks.map((mark) => `${mark.name} up to ${number(mark.high)}`).join(", ");
    const made = picture(width, marks.length * track + 42, `Chromatin profile: ${names}`);
    const half = (bins * binSize) / 2;
    const bottom = marks.length * track + 4;
    for (const tick of ticks(-half, half, width < 500 ? 3 : 6)) {
      const at = x((tick + half) / binSize);
      made.append(
        svg("line", { x1: at, x2: at, y1: 4, y2: bottom, class: "grid" }),
        text(at, bottom + 16, tick ? signed(tick / 1000) : "TSS", { "text-anchor": "middle" }),
      );
    }
    made.append(text((x(0) + x(bins)) / 2, bottom + 34, "distance to the TSS (kb)", { "text-anchor": "middle", class: "axis-title" }));
    marks.forEach((mark, k) => {
      const base = (k + 1) * track;
      const scale = (track - 10) / (mark.top - mark.bottom || 1);
      let path = `M${x(0)} ${base}`;
      mark.values.forEach((value, bin) => {
        const y = (base - (value - mark.bottom) * scale).toFixed(1);
        path += `L${x(bin).toFixed(1)} ${y}L${x(bin + 1).toFixed(1)} ${y}`;
      });
      const area = svg("path", { d: `${path}L${x(bins)} ${base}Z`, class: `track track-${(k % 6) + 1}` });
      area.append(svg("title", {}, `${mark.name}: ${number(mark.low)} to ${number(mark.high)} ${units}`));
      made.append(
        svg("line", { x1: x(0), x2: x(bins), y1: base, y2: base, class: "axis" }), area,
        text(left - 8, base - 16, mark.name, { "text-anchor": "end" }),
        text(left - 8, base - 3, `${number(mark.bottom, 2)} to ${number(mark.top, 2)}`, { "text-anchor": "end", class: "minor" }),
      );
    });
    return made;
  }

  // The gene and its neighbours on the chromosome; with variants, their scores above.
  function locus(width, where) {
    const { low, high, chrom, tss, minus, reads, genes, variants, score } = where;
    const tall = variants.length ? 112 : 0;
    const rows = packed(genes, low, high, width);
    const count = Math.max(...rows.map((gene) => gene.row), 0) + 1;
    const bottom = tall + 26 + count * 34;
    const x = (base) => 8 + ((base - low) / (high - low)) * (width - 16);
    const clamp = (base) => Math.min(Math.max(base, low), high);
    const words = `Around the TSS at ${whole(tss)} of chromosome ${chrom}: ${genes.length} gene models, ${variants.length} variants`;
    const made = picture(width, bottom + 38, words);
    if (reads) {
      made.append(svg("rect", { x: x(clamp(reads[0])), y: tall ? 18 : 4, width: Math.max(x(clamp(reads[1])) - x(clamp(reads[0])), 2), height: bottom - (tall ? 18 : 4), class: "reads" }));
    }
    for (const tick of ticks(low, high, width < 500 ? 3 : 6)) {
      made.append(text(Math.min(Math.max(x(tick), 34), width - 34), bottom + 16, whole(tick), { "text-anchor": "middle" }));
      made.append(svg("line", { x1: x(tick), x2: x(tick), y1: bottom, y2: bottom + 4, class: "axis" }));
    }
    made.append(
      svg("line", { x1: 8, x2: width - 8, y1: bottom, y2: bottom, class: "axis" }),
      text(width / 2, bottom + 34, `position on chromosome ${chrom}`, { "text-anchor": "middle", class: "axis-title" }),
    );
    if (tall) scores(made, variants, x, tall, width, score);
    const arrow = x(tss);
    const turn = minus ? -1 : 1;
    made.append(
      svg("path", { d: `M${arrow} ${tall + 24}v-12h${turn * 14}`, class: "tss-arrow" }),
      svg("path", { d: `M${arrow + turn * 20} ${tall + 12}l${-turn * 7} -4v8z`, class: "tss-head" }),
    );
    for (const gene of rows) drawGene(made, gene, x, tall + 38 + gene.row * 34, clamp);
    return made;
  }

  function scores(made, variants, x, tall, width, score) {
    const known = variants.filter((one) => Number.isFinite(one.score));
    const most = Math.max(...known.map((one) => Math.abs(one.score)), 1e-12);
    const y = (value) => 18 + (tall - 18) / 2 - (value / most) * ((tall - 18) / 2 - 7);
    made.append(
      svg("line", { x1: 8, x2: width - 8, y1: y(0), y2: y(0), class: "axis" }),
      text(10, 11, `${score} (± ${number(most, 2)})`, { class: "minor" }),
    );
    for (const one of known) {
      const group = svg("g", { class: one.strong ? "variant strong" : "variant" });
      group.append(
        svg("line", { x1: x(one.pos), x2: x(one.pos), y1: y(0), y2: y(one.score) }),
        svg("circle", { cx: x(one.pos), cy: y(one.score), r: one.strong ? 5 : 3.2 }),
        svg("title", {}, one.words),
      );
      made.append(group);
    }
  }

  // Rows in which gene models and their names do not collide.
  function packed(genes, low, high, width) {
    const ends = [];
    const perPixel = (high - low) / width;
    const order = [...genes].sort((a, b) => b.own - a.own || a.start - b.start);
    return order.filter((gene) => gene.end > low && gene.start < high).flatMap((gene) => {
      const middle = (Math.max(gene.start, low) + Math.min(gene.end, high)) / 2;
      const half = Math.max((Math.min(gene.end, high) - Math.max(gene.start, low)) / 2, (gene.name.length + 2) * 4 * perPixel);
      const [from, to] = [middle - half - 6 * perPixel, middle + half + 6 * perPixel];
      let row = ends.findIndex((taken) => taken.every(([a, b]) => to < a || from > b));
      if (row < 0) { row = ends.length; ends.push([]); }
      if (row > 4) return [];
      ends[row].push([from, to]);
      return [{ ...gene, row }];
    });
  }

  function drawGene(made, gene, x, y, clamp) {
    const group = svg("g", { class: gene.own ? "gene-model own" : "gene-model" });
    const [from, to] = [x(clamp(gene.start)), x(clamp(gene.end))];
    group.append(svg("line", { x1: from, x2: Math.max(to, from + 1), y1: y, y2: y }));
    for (const [start, end] of gene.exons) {
      const [a, b] = [x(clamp(start)), x(clamp(end))];
      if (b > a) group.append(svg("rect", { x: a, y: y - 5, width: Math.max(b - a, 1), height: 10 }));
    }
    const half = gene.name.length * 3.6 + 12;
    const middle = Math.min(Math.max((from + to) / 2, half), x(clamp(Infinity)) + 8 - half);
    group.append(
      text(middle, y + 17, gene.minus ? `← ${gene.name}` : `${gene.name} →`, { "text-anchor": "middle" }),
      svg("title", {}, `${gene.name}, strand ${gene.minus ? "−" : "+"}`),
    );
    made.append(group);
  }

  return { predictions, profile, locus };
})();
