"use strict";
const slides = [...document.querySelectorAll(".slide")];
const body = document.body;
let now = 0;
let notes = false;
let overview = false;

function fit() {
  if (overview) return;
  // Not innerWidth: a phone counts in it what is wider than its screen, such as a slide before it is scaled.
  const { clientWidth: wide, clientHeight: tall } = document.documentElement;
  const room = notes ? 0.68 : 1;
  const scale = Math.min(wide / 1280, (tall * room) / 720);
  for (const slide of slides) {
    slide.style.transform = `scale(${scale})`;
    slide.style.left = `${(wide - 1280 * scale) / 2}px`;
    slide.style.top = notes ? "0" : `${(tall - 720 * scale) / 2}px`;
    slide.querySelector("aside").style.height = notes ? `${(tall - 720 * scale) / scale}px` : "";
  }
}

function show(index) {
  point(null);
  now = Math.max(0, Math.min(slides.length - 1, index));
  slides.forEach((slide, i) => slide.classList.toggle("now", i === now));
  body.className = overview ? "over" : notes ? "live shownotes" : "live";
  document.getElementById("where").textContent = `${now + 1} / ${slides.length}`;
  if (overview) {
    for (const slide of slides) slide.removeAttribute("style");
    slides[now].scrollIntoView({ block: "nearest" });
  }
  history.replaceState(null, "", `#${now + 1}`);
  fit();
}

const keys = {
  ArrowRight: () => show(now + 1),
  ArrowDown: () => show(now + 1),
  PageDown: () => show(now + 1),
  " ": () => show(now + 1),
  ArrowLeft: () => show(now - 1),
  ArrowUp: () => show(now - 1),
  PageUp: () => show(now - 1),
  Home: () => show(0),
  End: () => show(slides.length - 1),
  o: () => { overview = !overview; show(now); },
  n: () => { notes = !notes; overview = false; show(now); },
  Enter: () => { overview = false; show(now); },
  Escape: () => { overview = false; show(now); },
};

addEventListener("keydown", (event) => {
  const action = keys[event.key];
  const press = event.target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter");
  // Notes longer than their place are scrolled by the keys that otherwise turn the slides.
  const scroll = event.target.tagName === "ASIDE" && ["ArrowUp", "ArrowDown", "PageUp", "PageDown", " "].includes(event.key);
  if (!action || press || scroll || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
});
document.getElementById("back").addEventListener("click", keys.ArrowLeft);
document.getElementById("on").addEventListener("click", keys.ArrowRight);
document.getElementById("overview").addEventListener("click", keys.o);
document.getElementById("notes").addEventListener("click", keys.n);
slides.forEach((slide, i) => slide.addEventListener("click", () => {
  if (overview) { overview = false; show(i); }
}));

let asleep = 0;
function wake() {
  document.documentElement.classList.add("awake");
  clearTimeout(asleep);
  asleep = setTimeout(() => document.documentElement.classList.remove("awake"), 2500);
}
addEventListener("mousemove", wake, { passive: true });

let touched = null;
addEventListener("touchstart", (event) => { touched = event.changedTouches[0].clientX; }, { passive: true });
addEventListener("touchend", (event) => {
  const moved = event.changedTouches[0].clientX - touched;
  if (!overview && Math.abs(moved) > 40) show(now + (moved < 0 ? 1 : -1));
}, { passive: true });
// Charts: the mark nearest to the pointer tells the row of the table that it stands for.
const tip = document.getElementById("tip");
const REACH = 24;
let pointed = null;
function point(mark, x, y) {
  if (mark !== pointed) {
    pointed?.classList.remove("at");
    mark?.classList.add("at");
    pointed = mark;
    tip.hidden = !mark;
    tip.replaceChildren(...(mark ? mark.dataset.tip.split(" · ") : []).map((text) => {
      const line = document.createElement("p");
      line.dir = "auto";
      line.textContent = text;
      return line;
    }));
  }
  if (!mark) return;
  const { clientWidth: wide, clientHeight: tall } = document.documentElement;
  tip.style.left = `${Math.max(4, Math.min(x + 16, wide - tip.offsetWidth - 4))}px`;
  tip.style.top = `${y + 20 + tip.offsetHeight < tall ? y + 20 : Math.max(4, y - 12 - tip.offsetHeight)}px`;
}
function nearest(chart, x, y) {
  let best = null, least = REACH, small = Infinity;
  for (const mark of chart.querySelectorAll("[data-tip]")) {
    const box = mark.getBoundingClientRect();
    const away = Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom));
    const size = box.width * box.height;
    if (away < least - 0.5 || (away < least + 0.5 && size < small)) { best = mark; least = away; small = size; }
  }
  return best;
}
function look(event) {
  const chart = overview ? null : event.target.closest?.(".chart");
  point(chart && nearest(chart, event.clientX, event.clientY), event.clientX, event.clientY);
}
addEventListener("pointermove", look, { passive: true });
addEventListener("pointerdown", look, { passive: true });
addEventListener("resize", fit);
addEventListener("hashchange", () => show((parseInt(location.hash.slice(1), 10) || 1) - 1));
show((parseInt(location.hash.slice(1), 10) || 1) - 1);
