// Slices of a volume along its three axes: sliders choose the place and the window of values that is shown.
"use strict";
const MAPS = {
  grey: [[0, 0, 0], [255, 255, 255]],
  magma: [[0, 0, 4], [28, 16, 68], [79, 18, 123], [129, 37, 129], [181, 54, 122], [229, 80, 100], [251, 135, 97], [254, 194, 135], [252, 253, 191]],
};
const table = stops => Array.from({ length: 256 }, (_, i) => {
  const at = i / 255 * (stops.length - 1), k = Math.min(Math.floor(at), stops.length - 2), s = at - k;
  return stops[k].map((low, c) => low + s * (stops[k + 1][c] - low));
});
const brief = value => Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(2) : String(+value.toPrecision(4));

const slices = async (box, data) => {
  const picture = box.querySelector("img"), { size: [nx, ny, nz], across } = data;
  await picture.decode();
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [picture.naturalWidth, picture.naturalHeight];
  const context = sheet.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const pixels = context.getImageData(0, 0, sheet.width, sheet.height).data;
  const at = (x, y, z) => pixels[4 * ((Math.floor(z / across) * ny + y) * sheet.width + (z % across) * nx + x)];
  const cuts = { // columns, rows (from the top down), and the value there
    z: [nx, ny, (i, j, k) => at(i, ny - 1 - j, k)],
    y: [nx, nz, (i, j, k) => at(i, k, nz - 1 - j)],
    x: [ny, nz, (i, j, k) => at(k, i, nz - 1 - j)],
  };
  const low = box.querySelector("[name=low]"), high = box.querySelector("[name=high]");
  const map = box.querySelector("select"), told = box.querySelector(".told");
  const value = share => data.least + share / 255 * (data.greatest - data.least);
  const draw = axis => {
    const [columns, rows, get] = cuts[axis], slider = box.querySelector(`[name=${axis}]`), k = Number(slider.value);
    const canvas = box.querySelector(`canvas[data-axis=${axis}]`), colours = table(MAPS[map.value]);
    [canvas.width, canvas.height] = [columns, rows];
    const made = new ImageData(columns, rows), from = Number(low.value), to = Math.max(Number(high.value), from + 1);
    for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++) {
      const shade = colours[Math.round(Math.min(Math.max((get(i, j, k) - from) / (to - from), 0), 1) * 255)];
      made.data.set([shade[0], shade[1], shade[2], 255], 4 * (j * columns + i));
    }
    canvas.getContext("2d").putImageData(made, 0, 0);
    canvas.dataset.state = "ready";
    const [start, end] = data.bounds[axis], last = Number(slider.max) || 1;
    box.querySelector(`output[data-axis=${axis}]`).textContent = `${axis} = ${brief(start + (end - start) * k / last)}`;
  };
  const every = () => {
    ["x", "y", "z"].forEach(draw);
    told.textContent = `black: ${brief(value(Number(low.value)))}, brightest: ${brief(value(Number(high.value)))}`;
  };
  for (const axis of ["x", "y", "z"]) box.querySelector(`[name=${axis}]`).addEventListener("input", () => draw(axis));
  for (const control of [low, high, map]) control.addEventListener("input", every);
  box.classList.add("live");
  every();
};
for (const box of document.querySelectorAll(".slices"))
  slices(box, JSON.parse(document.getElementById(box.dataset.from).textContent)).catch(error => {
    box.querySelector(".why").textContent = `The slices cannot be moved here: ${error.message}.`;
  });
