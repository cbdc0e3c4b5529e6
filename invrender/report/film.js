// Frames of a film, one after the other, and a slider through them; still for those who want no motion.
"use strict";
for (const figure of document.querySelectorAll(".film[data-from]")) {
  const data = JSON.parse(document.getElementById(figure.dataset.from).textContent);
  const last = figure.querySelector("img"), slider = figure.querySelector("input");
  const shown = document.createElement("canvas"), pen = shown.getContext("2d");
  const frames = [...data.frames.map(source => Object.assign(new Image(), { src: source })), last];
  let at = frames.length - 1, held = 0;
  const show = next => { if (frames[next].complete) { at = next; slider.value = at; pen.drawImage(frames[at], 0, 0); } };
  const begin = () => {
    [shown.width, shown.height] = [last.naturalWidth, last.naturalHeight];
    shown.setAttribute("role", "img");
    shown.setAttribute("aria-label", last.alt);
    last.after(shown);
    last.hidden = true;
    slider.hidden = false;
    show(at);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const timer = setInterval(() => {
      if (at < frames.length - 1 || ++held * data.pause > 2000) { show((at + 1) % frames.length); held = 0; }
    }, data.pause);
    slider.addEventListener("pointerdown", () => clearInterval(timer));
    slider.addEventListener("keydown", () => clearInterval(timer));
  };
  slider.addEventListener("input", () => show(Number(slider.value)));
  if (last.complete) begin(); else last.addEventListener("load", begin);
}
