"use strict";
// The contents mark where the reader is; on paper every part of the page is open.
(() => {
  const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.hash.slice(1), a]));
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const here = entry.target.id || entry.target.parentElement.id; // a heading stands for its study
      if (!entry.isIntersecting || !links.has(here)) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      for (const item of document.querySelectorAll("nav li.here")) item.classList.remove("here");
      const link = links.get(here);
      link.setAttribute("aria-current", "true");
      link.closest("nav > details > ol > li").classList.add("here");
    }
  }, { rootMargin: "-10% 0px -75% 0px" });
  for (const section of document.querySelectorAll("section[id], article > header")) watch.observe(section);

  // Beside a wide page the contents are always open, above a narrow one at wish.
  const contents = document.querySelector("nav > details");
  const wide = window.matchMedia("(min-width: 80rem)");
  const fit = () => { contents.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();

  // A link into a closed part opens it.
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const closed = target?.closest("details:not([open])");
    if (!closed) return;
    closed.open = true;
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);
  reveal();

  let opened = [];
  function open() {
    // A picture that was never near the window is not there yet.
    for (const still of document.querySelectorAll("img[loading=lazy]")) still.loading = "eager";
    const closed = [...document.querySelectorAll("main details:not([open])")];
    opened = opened.concat(closed);
    for (const one of closed) one.open = true;
  }
  function close() {
    for (const one of opened) one.open = false;
    opened = [];
  }
  window.addEventListener("beforeprint", open);
  window.addEventListener("afterprint", close);
  window.matchMedia("print").addEventListener("change", (event) => (event.matches ? open() : close()));
})();
