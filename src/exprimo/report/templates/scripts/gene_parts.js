"use strict";
// What the page of a gene is built of: packed numbers, SVG, words for numbers, a box to choose in.
window.exprimoGene = (() => {
  const ARRAYS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, i1: Int8Array, u1: Uint8Array };

  // ---- numbers: base64 of a zlib stream of little-endian values

  async function unpack(packed) {
    return new ARRAYS[packed.type](await window.exprimo.inflated(packed.data).arrayBuffer());
  }

  // Unpacks everything within a value; text and plain lists stay.
  async function unpacked(value) {
    if (value === null || typeof value !== "object") return value;
    if (ARRAYS[value.type] && typeof value.data === "string") return unpack(value);
    if (Array.isArray(value)) {
      return typeof value[0] === "object" ? Promise.all(value.map(unpacked)) : value;
    }
    const entries = Object.entries(value).map(async ([key, inner]) => [key, await unpacked(inner)]);
    return Object.fromEntries(await Promise.all(entries));
  }

  // ---- words for numbers

  const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  // `even` keeps zeros at the end, so that the numbers of a column are alike.
  function number(value, digits = 4, even = false) {
    if (value === null || Number.isNaN(value)) return "–";
    if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) {
      const [mantissa, power] = value.toExponential(1).split("e");
      const raised = [...power.replace("+", "")].map((c) => (c === "-" ? "⁻" : RAISED[c])).join("");
      return `${mantissa}·10${raised}`.replace("-", "−");
    }
    const shown = value.toPrecision(digits);
    return (even && !shown.includes("e") ? shown : String(Number(shown))).replace("-", "−");
  }
  const whole = (value) => Math.round(value).toLocaleString("en").replace("-", "−");
  const signed = (value, digits) => (value > 0 ? "+" : "") + number(value, digits);

  // ---- elements; what others wrote is only ever text

  function html(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function svg(name, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function picture(width, height, label) {
    return svg("svg", {
      width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "gene-svg",
    });
  }

  function text(x, y, words, more = {}) {
    return svg("text", { x, y, ...more }, words);
  }

  const shortened = (words, most) => (words.length > most ? words.slice(0, most - 1) + "…" : words);

  // About `many` round values within two bounds.
  function ticks(low, high, many) {
    const rough = (high - low) / Math.max(many, 1);
    if (!(rough > 0)) return [low];
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((one) => one * power >= rough * 0.999);
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) found.push(k * step);
    return found;
  }

  // ---- a box with proposals: arrows choose, Enter takes, Escape closes

  function combobox(input, list, find, take) {
    let options = [];
    let at = -1;
    function close() {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      at = -1;
    }
    function mark(next) {
      at = options.length ? (next + options.length) % options.length : -1;
      [...list.children].forEach((item, k) => item.setAttribute("aria-selected", k === at));
      if (at < 0) return;
      input.setAttribute("aria-activedescendant", list.children[at].id);
      list.children[at].scrollIntoView({ block: "nearest" });
    }
    function open() {
      options = find(input.value);
      list.replaceChildren(...options.map((option, k) => {
        const item = html("li", { role: "option", id: `${list.id}-${k}`, "aria-selected": "false" }, option.label);
        if (option.detail) item.append(" ", html("small", {}, option.detail));
        item.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(k); });
        return item;
      }));
      list.hidden = !options.length;
      input.setAttribute("aria-expanded", String(options.length > 0));
      input.removeAttribute("aria-activedescendant");
      at = -1;
    }
    function choose(k) {
      const option = options[k];
      close();
      if (option) take(option.value);
    }
    input.addEventListener("input", open);
    input.addEventListener("blur", close);
    input.addEventListener("focus", () => input.select());
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) open();
        mark(event.key === "ArrowDown" ? at + 1 : Math.max(at, 0) - 1);
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (list.hidden) open();
        choose(Math.max(at, 0));
      } else if (event.key === "Escape" && !list.hidden) {
        event.stopPropagation();
        close();
      }
    });
  }

  return { unpacked, number, whole, signed, html, svg, picture, text, shortened, ticks, combobox };
})();
