// Numbers of a plot where it is pointed at.
"use strict";
for (const plot of document.querySelectorAll("svg.course")) {
  const data = JSON.parse(plot.dataset.points), cursor = plot.querySelector(".cursor"), told = plot.parentElement.querySelector(".told");
  const show = event => {
    const bounds = plot.getBoundingClientRect(), x = (event.clientX - bounds.left) / bounds.width * plot.viewBox.baseVal.width;
    const at = data.x.reduce((best, value, k) => Math.abs(value - x) < Math.abs(data.x[best] - x) ? k : best, 0);
    cursor.setAttribute("x1", data.x[at]);
    cursor.setAttribute("x2", data.x[at]);
    cursor.style.visibility = "visible";
    told.textContent = data.said[at];
  };
  plot.addEventListener("pointermove", show);
  plot.addEventListener("pointerleave", () => { cursor.style.visibility = "hidden"; told.textContent = told.dataset.usual; });
}
