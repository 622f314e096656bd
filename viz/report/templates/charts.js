// Reading values off a chart: a line at the day under the pointer (or the arrow keys) and the values of that day.
"use strict";

const CHARTS = JSON.parse(document.getElementById("chart-data").textContent);

function valueText(value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1).replace("e+", "e");
  return String(Number(value.toPrecision(3)));
}

function startChart(figure) {
  const chart = CHARTS.charts[figure.dataset.chart], plot = figure.querySelector(".plot");
  const svg = plot.querySelector("svg"), line = document.createElement("div"), box = document.createElement("div");
  line.className = "reading-line"; box.className = "reading"; box.setAttribute("aria-live", "polite");
  line.hidden = box.hidden = true;
  plot.append(line, box);
  const [first, last] = chart.days, days = CHARTS.days[chart.curves[0].run];
  let at = days.findIndex((day) => day >= Math.max(first, 0));

  function show(index) {
    at = Math.max(0, Math.min(days.length - 1, index));
    const day = days[at], frame = svg.getBoundingClientRect(), width = chart.width;
    const share = (chart.left + ((day - first) / (last - first)) * (chart.right - chart.left)) / width;
    if (day < first || day > last) return;
    line.style.left = `${share * frame.width}px`;
    line.style.top = `${(chart.top / chart.height) * frame.height}px`;
    line.style.height = `${((chart.bottom - chart.top) / chart.height) * frame.height}px`;
    const head = document.createElement("strong");
    head.textContent = `day ${Number(day.toFixed(1))}`;
    const rows = chart.curves.map((curve) => {
      const row = document.createElement("span"), swatch = document.createElement("span");
      swatch.className = `swatch run-${curve.run}`; swatch.style.color = curve.color;
      const own = CHARTS.days[curve.run];
      let near = curve.run === chart.curves[0].run ? at : own.findIndex((value) => value >= day);
      if (near < 0) near = own.length - 1;
      row.append(swatch, `${curve.name} ${valueText(curve.values[near])}`);
      return row;
    });
    box.replaceChildren(head, ...rows);
    line.hidden = box.hidden = false;
    const left = share * frame.width;
    box.style.left = left > frame.width / 2 ? "auto" : `${left + 8}px`;
    box.style.right = left > frame.width / 2 ? `${frame.width - left + 8}px` : "auto";
  }

  function nearest(day) {
    let best = 0;
    days.forEach((value, index) => { if (Math.abs(value - day) < Math.abs(days[best] - day)) best = index; });
    return best;
  }

  plot.addEventListener("pointermove", (event) => {
    const frame = svg.getBoundingClientRect(), x = ((event.clientX - frame.left) / frame.width) * chart.width;
    if (x < chart.left || x > chart.right) return;
    show(nearest(first + ((x - chart.left) / (chart.right - chart.left)) * (last - first)));
  });
  const hide = () => { line.hidden = box.hidden = true; };
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (step === undefined) return;
    event.preventDefault(); show(at + step);
  });
}

for (const figure of document.querySelectorAll("figure[data-chart]")) startChart(figure);
