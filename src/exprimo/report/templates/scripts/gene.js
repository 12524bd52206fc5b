"use strict";
// The section "A gene": choose one, and see what the page knows of it. `#gene=ID` chooses one, too.
(() => {
  const { unpacked, number, whole, signed, html, combobox, logo, plots } = window.exprimoGene;
  const MOST_PROPOSED = 12;
  const SHOWN_ROWS = 25;
  const NOWHERE = -(2 ** 31);
  const WORDS = { train: "training", val: "validation", test: "test", none: "no part" };

  function page(section, key) {
    const root = section.querySelector(".gene");
    const find = (name) => root.querySelector(name);
    const [input, list, select] = [find("input"), find("[role=listbox]"), find("select")];
    const [status, body, link] = [find(".gene-status"), find(".gene-page"), find(".gene-link")];
    const prefix = section.id; // "gene", or "halflife-gene" where a file holds several studies
    const heading = `h${root.dataset.level}`;
    let held = null;
    let known = null;
    let chosen = -1;
    let example = -1;
    let drawings = [];
    let width = 0; // of the room when it was last drawn in

    function read() {
      held ??= JSON.parse(section.querySelector(".section-data").textContent);
      return held;
    }

    async function data() {
      known ??= unpacked(read());
      return known;
    }

    // ---- choosing

    const plain = (words) => words.normalize("NFKC").toLowerCase();
    function proposals(typed) {
      const { id, name } = read();
      const sought = plain(typed.trim());
      const ranked = [[], [], []];
      for (let k = 0; k < id.length && ranked[0].length < MOST_PROPOSED; k += 1) {
        const words = [plain(id[k]), name ? plain(name[k]) : ""];
        const rank = words.includes(sought) ? 0 : words.some((w) => w && w.startsWith(sought)) ? 1 : words.some((w) => w.includes(sought)) ? 2 : 3;
        if (rank < 3 && ranked[rank].length < MOST_PROPOSED) ranked[rank].push(k);
      }
      const found = ranked.flat().slice(0, MOST_PROPOSED);
      status.textContent = sought && !found.length ? `No gene here has “${typed.trim()}” in its id or name.` : "";
      return found.map((k) => ({ value: k, label: name?.[k] || id[k], detail: name?.[k] ? id[k] : "" }));
    }

    const address = (k) => `#${prefix}=${encodeURIComponent(read().id[k])}`;

    async function choose(k, { moved = true } = {}) {
      chosen = k;
      const all = await data();
      if (chosen !== k) return;
      input.value = all.name?.[k] || all.id[k];
      link.href = address(k);
      link.hidden = false;
      if (moved) history.replaceState(null, "", address(k));
      contexts(all, k);
      draw(all, k);
    }

    function contexts(all, k) {
      const one = all.examples;
      const mine = one ? [...one.gene.keys()].filter((row) => one.gene[row] === k) : [];
      const before = example >= 0 && one ? one.context[example] : -1;
      const box = find(".gene-context");
      example = mine.find((row) => one.context[row] === before) ?? mine[0] ?? -1;
      box.hidden = mine.length < 2;
      if (box.hidden) return;
      const what = one.context_name || "example";
      box.querySelector("label").textContent = what[0].toUpperCase() + what.slice(1);
      select.replaceChildren(...mine.map((row, n) => html("option", { value: row }, one.contexts[one.context[row]] || `${what} ${n + 1}`)));
      select.value = String(example);
    }

    // ---- drawing

    function part(title, ...children) {
      const made = html("div", { class: "gene-part" }, html(heading, {}, title), ...children.filter(Boolean));
      body.append(made);
      return made;
    }

    function table(caption, columns, rows) {
      const head = html("tr", {}, ...columns.map((c) => html("th", { scope: "col", class: c.numeric ? "num" : "" }, c.label)));
      const made = html("table", {}, html("caption", { class: "hidden" }, caption), html("thead", {}, head), html("tbody", {},
        ...rows.map((row) => html("tr", {}, ...row.map((cell, k) => html(k ? "td" : "th", { class: columns[k].numeric ? "num" : "long", ...(k ? {} : { scope: "row" }) }, cell))))));
      return html("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, made);
    }

    // A picture that is made anew when its room changes.
    function drawn(holder, make) {
      const again = () => {
        const made = make(Math.max(holder.clientWidth, 240));
        holder.replaceChildren(...(made ? [made] : []));
      };
      drawings.push(again);
      again();
    }

    function draw(all, k) {
      drawings = [];
      body.replaceChildren();
      width = body.clientWidth;
      facts(all, k);
      if (all.examples && example >= 0) predicted(all, k);
      if (all.sequence) importance(all, k);
      if (all.features && example >= 0) features(all);
      if (all.signal && example >= 0) chromatin(all);
      if (all.places) around(all, k);
      for (const one of all.tables) rowsOf(one, k);
      root.dataset.gene = all.id[k];
      root.dataset.ready = "true";
    }

    function facts(all, k) {
      const list_ = html("dl", { class: "facts" });
      const add = (name, value) => list_.append(html("div", {}, html("dt", {}, name), html("dd", {}, value)));
      const p = all.places;
      if (p && p.chrom[k] >= 0) {
        const from = p.start[k] !== NOWHERE ? `, window ${whole(p.start[k] + 1)} to ${whole(p.end[k])}, strand ${p.minus[k] ? "−" : "+"}` : "";
        add("place", `chromosome ${p.chroms[p.chrom[k]]}, TSS ${whole(p.tss[k] + 1)}${from}`);
      }
      const one = all.examples;
      if (one && example >= 0) {
        add("part of the split", WORDS[one.parts[one.part[example]]]);
        if (one.part[example] === one.parts.indexOf("train")) add("beware", "models learned from this gene");
        add("observed", observedWords(one));
      }
      const title = html(heading, { class: "gene-name" }, all.name?.[k] || all.id[k]);
      if (all.name?.[k]) title.append(" ", html("small", {}, all.id[k]));
      body.append(title, list_);
    }

    function observedWords(one) {
      const value = one.observed[example];
      if (Number.isNaN(value)) return "not known";
      const what = one.units ? `${one.target} (${one.units})` : one.target;
      if (one.classes) return `${what}: ${one.classes[value] ?? value}`;
      if (one.task !== "classification") return `${what} ${number(value)}`;
      return `${what}: ${value ? "1, yes" : "0, no"}${one.cut ? ` (above the ${one.cut})` : ""}`;
    }

    function predicted(all) {
      const one = all.examples;
      const n = one.models.length;
      const rows = one.models.map((model, m) => ({ ...model, mean: one.mean[example * n + m], half: one.half[example * n + m] }));
      const holder = html("div", { class: "gene-plot" });
      const classes = one.task === "classification";
      const title = classes ? `probability that ${one.target} is ${one.cut ? "above its cut" : "1"}` : `${one.target}${one.units ? ` (${one.units})` : ""}`;
      const told = rows.some((row) => row.spread);
      const words = (row) => (one.classes ? one.classes[row.mean] ?? number(row.mean) : number(row.mean, 4, true));
      const columns = [{ label: "Model" }, { label: "Prediction", numeric: true }];
      if (told) columns.push({ label: "±", numeric: true }, { label: "What ± is" });
      const cells = rows.map((row) => [
        `${row.name}${row.role === "baseline" ? " (baseline)" : ""}`, words(row),
        ...(told ? [row.half > 0 ? number(row.half, 3, true) : "–", row.spread || "–"] : []),
      ]);
      part("What each model predicts", html("p", { class: "hint" }, `Line: the observed value. Filled points: models; hollow: baselines.${told ? " Bars: the spread in the table." : " No spread is known: one seed, no ensemble, no interval."}`), holder, table("Predictions of each model", columns, cells));
      if (!one.classes) drawn(holder, (width) => plots.predictions(width, rows, one.observed[example], title, classes ? [0, 1] : null));
    }

    function importance(all, k) {
      const s = all.sequence;
      const one = all.examples;
      const rows = [...s.example.keys()];
      const at = rows.find((row) => s.example[row] === example) ?? rows.find((row) => one.gene[s.example[row]] === k);
      if (at === undefined) {
        part("Importance of each base", html("p", { class: "hint" }, `This gene was not explained: ${whole(s.example.length)} genes of the test part were.`));
        return;
      }
      const values = Float32Array.from(s.steps.subarray(at * s.length, (at + 1) * s.length), (step) => step * s.scale[at]);
      const codes = s.codes.subarray(at * s.length, (at + 1) * s.length);
      const best = [...values.keys()].sort((a, b) => Math.abs(values[b]) - Math.abs(values[a])).slice(0, 5);
      const strongest = best.map((b) => `${"ACGTN"[codes[b]]} at ${signed(b - s.tss, 9)}`).join(", ");
      const holder = html("div", { class: "gene-logo" });
      const made = part("Importance of each base",
        html("p", { class: "hint" }, `By ${s.method}${s.row ? ` of ${s.row}` : ""}, in ${s.unit === "logit" ? "logits" : s.unit} per base; position 0 is the TSS, upstream negative, in the gene's direction. Letters above the line raise the output. Strongest: ${strongest}. Each value is kept to 1/254 of the gene's range.`),
        s.banner ? html("p", { class: "gene-banner serious" }, html("span", { class: "tag" }, "unsure"), ` ${s.banner}.`) : null,
        holder, html("p", { class: "hint" }, "Click the logo, then turn the wheel or press + − ← →; drag to move; pinch with two fingers. The strip shows the whole window."));
      const one_ = logo(holder, {
        codes, values, tss: s.tss, unit: s.unit, name: all.name?.[k] || all.id[k], key: `${prefix}-logo`,
        alt: `Importance of ${whole(s.length)} bases. Strongest: ${strongest}.`, marks: marksOf(all, k),
      });
      made.classList.add("with-logo");
      drawings.push(one_.redraw);
    }

    // Variants as columns of the window; of a minus strand the window is turned round.
    function marksOf(all, k) {
      const p = all.places;
      if (!p || p.start[k] === NOWHERE) return [];
      return variantsOf(all, k).map((one) => ({
        at: p.minus[k] ? p.end[k] - one.pos : one.pos - 1 - p.start[k], label: one.words,
      }));
    }

    function variantsOf(all, k) {
      const one = all.tables.find((t) => t.key === "variants");
      if (!one) return [];
      const column = (name) => one.columns[one.names.indexOf(name)];
      const score = one.names.find((name) => name.startsWith("score:"));
      const found = [];
      one.gene.forEach((gene, row) => {
        if (gene !== k) return;
        const pip = column("pip")?.numbers[row];
        found.push({
          pos: column("pos").whole[row], score: column(score).numbers[row], strong: pip >= 0.5,
          words: one.columns.map((c) => `${c.label} ${cell(c, row)}`).join(", "),
        });
      });
      return found;
    }

    function featureWords(label) {
      const log = label.startsWith("log10_");
      const words = (log ? label.slice(6) : label).replaceAll("_", " ").replace("utr5", "5′ UTR").replace("utr3", "3′ UTR").replace(/\bcds\b/, "coding sequence").replace(/\bgc\b/, "GC content");
      return words[0].toUpperCase() + words.slice(1) + (log ? " (log10)" : "");
    }

    function features(all) {
      const f = all.features;
      const n = f.labels.length;
      const rows = f.labels.map((label, m) => {
        const value = f.values[example * n + m];
        const z = f.sd[m] > 0 ? (value - f.mean[m]) / f.sd[m] : 0;
        const bar = html("span", { class: "gene-bar", role: "img", "aria-label": `${signed(z, 2)} SD` });
        const inner = html("span");
        inner.style.left = `${Math.max(50 + Math.min(z, 0) * 16.6, 0)}%`;
        inner.style.width = `${Math.min(Math.abs(z) * 16.6, 50)}%`;
        bar.append(inner);
        return [featureWords(label), number(value), signed(z, 2), bar];
      });
      part("What sets its half-life", html("p", { class: "hint" }, "Bars: how many standard deviations from the mean of all genes, to 3 either way."),
        table("Half-life features", [{ label: "Feature" }, { label: "Value", numeric: true }, { label: "SD from the mean", numeric: true }, { label: "" }], rows));
    }

    function chromatin(all) {
      const s = all.signal;
      const at = s.example.indexOf(example);
      if (at < 0) {
        part("Chromatin profile", html("p", { class: "hint" }, "Profiles are here of examples of the test part, as many as find room; not of this one."));
        return;
      }
      // The same scale for all cell types of the gene, so that they can be compared.
      const one = all.examples;
      const same = [...s.example.keys()].filter((row) => one.gene[s.example[row]] === one.gene[example]);
      const marks = s.marks.map((name, m) => {
        const row = at * s.marks.length + m;
        const [low, high] = [s.low[row], s.high[row]];
        const steps = s.steps.subarray(row * s.bins, (row + 1) * s.bins);
        return {
          name, low, high, values: Float32Array.from(steps, (step) => low + (step * (high - low)) / 255),
          bottom: Math.min(0, ...same.map((other) => s.low[other * s.marks.length + m])),
          top: Math.max(0, ...same.map((other) => s.high[other * s.marks.length + m])),
        };
      });
      const holder = html("div", { class: "gene-plot" });
      const cells = same.length > 1 ? ` Each mark has one scale over the ${same.length} ${one.context_name || "example"}s of this gene.` : "";
      part("Chromatin profile", html("p", { class: "hint" }, `Signal in ${s.bins} bins of ${s.bin_size} bases, in the gene's direction.${cells}`), holder);
      drawn(holder, (width) => plots.profile(width, marks, s.bins, s.bin_size, s.units));
    }

    function around(all, k) {
      const p = all.places;
      if (p.chrom[k] < 0) return;
      const variants = variantsOf(all, k);
      const own = p.start[k] !== NOWHERE ? [p.start[k] + 1, p.end[k]] : null;
      const tss = p.tss[k] + 1;
      const models = modelsOf(all, k);
      const self = models.find((gene) => gene.own);
      const ends = [tss - 500, tss + 500, ...(own ?? []), ...variants.map((one) => one.pos), ...(self ? [self.start, self.end] : [])];
      const room = (Math.max(...ends) - Math.min(...ends)) * 0.08;
      const where = {
        low: Math.min(...ends) - room, high: Math.max(...ends) + room, chrom: p.chroms[p.chrom[k]], tss,
        minus: p.minus[k], reads: own, genes: models.length ? models : starts(all, k), variants,
        score: "score of each variant",
      };
      const holder = html("div", { class: "gene-plot" });
      const exons = models.length ? "Boxes: exons of the canonical transcript." : "Windows of the genes in the dataset; no annotation is known to this page.";
      const scored = variants.length ? " Above: the score of each variant, alternate − reference; filled: PIP of 0.5 or more." : "";
      part("Where it lies", html("p", { class: "hint" }, `Shaded: the window that the model reads. Arrow: TSS. ${exons}${scored}`), holder);
      drawn(holder, (width) => plots.locus(width, where));
    }

    function modelsOf(all, k) {
      const m = all.models;
      if (!m) return [];
      const found = [];
      m.locus.forEach((gene, row) => {
        if (gene !== k) return;
        const one = m.model[row];
        const exons = m.exons[one] ? m.exons[one].split(",").map((part_) => part_.split("-").map(Number)) : [];
        found.push({ name: m.name[one] || m.id[one], start: m.start[one], end: m.end[one], minus: m.minus[one], own: m.id[one] === all.id[k] ? 1 : 0, exons });
      });
      return found;
    }

    // Without an annotation: the windows of this gene and of its neighbours.
    function starts(all, k) {
      const p = all.places;
      const near = [...p.tss.keys()].filter((one) => p.start[one] !== NOWHERE && p.chrom[one] === p.chrom[k] && Math.abs(p.tss[one] - p.tss[k]) < 2e4);
      return near.map((one) => ({ name: all.name?.[one] || all.id[one], start: p.start[one] + 1, end: p.end[one], minus: p.minus[one], own: one === k ? 1 : 0, exons: [] }));
    }

    const cell = (column, row) =>
      column.numbers ? number(column.numbers[row]) : column.whole ? whole(column.whole[row]) : column.kinds ? column.kinds[column.codes[row]] : column.text[row];

    function rowsOf(one, k) {
      let rows = [...one.gene.keys()].filter((row) => one.gene[row] === k);
      if (!rows.length) return;
      if (one.key === "variants") {
        const score = one.columns[one.names.findIndex((name) => name.startsWith("score:"))].numbers;
        const size = (row) => (Number.isNaN(score[row]) ? -1 : Math.abs(score[row]));
        rows.sort((a, b) => size(b) - size(a));
      }
      const left = rows.length - SHOWN_ROWS;
      rows = rows.slice(0, SHOWN_ROWS);
      const columns = one.columns.map((c) => ({ label: c.label, numeric: Boolean(c.numbers || c.whole) }));
      const more = left > 0 ? ` The ${SHOWN_ROWS} with the greatest score; ${left} more in the file.` : "";
      const [title, ...rest] = one.caption.split(/(?<=[.])\s+/);
      const hint = `${rest.join(" ")}${more}`.trim();
      part(title.replace(/[.]$/, ""), hint && html("p", { class: "hint" }, hint), table(one.caption, columns, rows.map((row) => one.columns.map((c) => cell(c, row)))));
    }

    // ---- when

    async function fromAddress() {
      const start = `#${prefix}=`;
      if (!location.hash.startsWith(start)) return false;
      let sought = location.hash.slice(start.length);
      try { sought = decodeURIComponent(sought); } catch { /* taken as it stands */ }
      const { id, name } = read();
      let k = id.indexOf(sought);
      if (k < 0 && name) k = name.indexOf(sought);
      section.scrollIntoView();
      if (k < 0) {
        status.textContent = `No gene here is called “${sought}”.`;
        return false;
      }
      await choose(k, { moved: false });
      return true;
    }

    find(".gene-pick").hidden = false;
    combobox(input, list, proposals, choose);
    select.addEventListener("change", async () => {
      example = Number(select.value);
      draw(await data(), chosen);
    });
    window.addEventListener("hashchange", fromAddress);
    new ResizeObserver(() => {
      if (width === body.clientWidth) return;
      width = body.clientWidth;
      for (const again of drawings) again();
    }).observe(body);
    // Nothing is unpacked before the section is near the window.
    const near = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      near.disconnect();
      if (chosen < 0) choose(read().first, { moved: false });
    }, { rootMargin: "300px 0px" });
    fromAddress().then((taken) => { if (!taken) near.observe(section); });
  }

  for (const held of document.querySelectorAll(".section-data[data-section=gene]")) page(held.closest("section"));
})();
