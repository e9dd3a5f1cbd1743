/* What pages do beyond being pages: charts out of their own tables, figures that stay fresh, and quiet when hidden.
   Everything works without this file. */
"use strict";
(() => {
  const root = document.documentElement;
  const STALE = 15000;
  const COLOURS = { new: "#003f52", legacy: "#a68a5b" };
  let fresh = Date.now();
  root.classList.add("js");

  // ---- the viewer's zone, told to the server, which writes all times
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const cookie = `banyan_zone=${zone}`;
  if (zone && !document.cookie.split("; ").includes(cookie)) {
    document.cookie = `${cookie}; path=/; max-age=31536000; samesite=lax`;
  }

  // ---- live figures: asked for while somebody looks
  document.addEventListener("htmx:config:request", (event) => {
    const ctx = event.detail.ctx;
    if (ctx.request.method === "GET") ctx.request.headers["X-Banyan-Live"] = "1";
  });
  document.addEventListener("htmx:before:request", (event) => {
    const source = event.detail.ctx.sourceEvent;
    if (document.hidden && source && source.type === "every") event.preventDefault();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const response = event.detail.ctx.response;
    if (response && response.status >= 400) return;
    fresh = Date.now();
    draw();
  });
  document.addEventListener("htmx:response:error", (event) => {
    if (event.detail.ctx.response && event.detail.ctx.response.status === 401) location.reload();
  });
  const age = () => {
    const stale = Date.now() - fresh > STALE && document.querySelector("[hx-trigger^='every']") !== null;
    if (stale !== root.classList.contains("stale")) root.classList.toggle("stale", stale);
    if (stale) for (const word of document.querySelectorAll(".live-word")) word.textContent = "Not fresh; traffic does not depend on this page. Last figures";
  };
  setInterval(age, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) fresh = Math.max(fresh, Date.now() - STALE / 2); });

  // ---- charts: each reads its own table
  const drawn = new Map();
  const read = (figure) => {
    const rows = [...figure.querySelectorAll("tbody tr")];
    const number = (cell) => (cell.dataset.value === "" ? null : Number(cell.dataset.value));
    const columns = [...figure.querySelectorAll("thead th[data-class]")].map((th) => ({ name: th.textContent, kind: th.dataset.class }));
    return { at: rows.map((row) => Number(row.dataset.at)), columns, values: columns.map((_, at) => rows.map((row) => number(row.querySelectorAll("td")[at]))) };
  };
  const stacked = (values) => {
    const [fresh_, old] = values;
    return [fresh_.map((value, at) => (value || 0) + (old[at] || 0)), fresh_.map((value) => value || 0)];
  };
  const axes = (unit) => {
    const font = "13px arial, helvetica, sans-serif";
    const common = { stroke: "#505a5f", font, grid: { stroke: "#e9ecee", width: 1 }, ticks: { show: false } };
    const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
    const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
    const named = (_, splits) => splits.map((at) => (splits.length > 1 && splits[1] - splits[0] >= 86400 ? day : time).format(at * 1000));
    const incrs = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000];
    return [{ ...common, grid: { show: false }, values: named, incrs, space: 70 }, { ...common, size: 58, values: (_, splits) => splits.map((value) => `${value.toLocaleString("en-GB")}${unit}`) }];
  };
  const series = (kind, columns) => {
    if (kind === "stacked") return [{ stroke: "#fff", width: 1, fill: COLOURS.legacy, points: { show: false } }, { stroke: "#fff", width: 2, fill: COLOURS.new, points: { show: false } }];
    return columns.map(({ kind: of }) => ({
      stroke: of === "low" || of === "high" ? "transparent" : COLOURS[of], width: 2, spanGaps: true, points: { show: false }, dash: of === "legacy" ? [6, 4] : undefined,
    }));
  };
  const guard = (figure) => ({ hooks: { draw: [(plot) => {
    const at = Number(figure.dataset.guard);
    if (!at || at < plot.scales.y.min || at > plot.scales.y.max) return;
    const y = plot.valToPos(at, "y", true), ctx = plot.ctx;
    ctx.save(); ctx.strokeStyle = "#a1121a"; ctx.setLineDash([8, 5]); ctx.lineWidth = 2; ctx.beginPath();
    ctx.moveTo(plot.bbox.left, y); ctx.lineTo(plot.bbox.left + plot.bbox.width, y); ctx.stroke(); ctx.restore();
  }] } });
  const one = (figure) => {
    const place = figure.querySelector(".plot"), { at, columns, values } = read(figure);
    if (at.length < 2) { place.style.display = "none"; return; }
    place.style.display = "";
    const kind = figure.dataset.kind, data = [at, ...(kind === "stacked" ? stacked(values) : values)];
    const known = drawn.get(figure.id);
    if (known && known.root.isConnected) { known.setData(data); return; }
    place.replaceChildren();
    const options = {
      width: place.clientWidth, height: place.clientHeight, cursor: { show: false }, legend: { show: false },
      scales: { x: { time: true }, y: { range: (_, low, high) => figure.dataset.zero === "yes" ? [0, Math.max(high * 1.1, 1)] : [Math.min(Math.floor(low), 99), 100] } },
      axes: axes(figure.dataset.unit), series: [{}, ...series(kind, columns)], plugins: [guard(figure)],
      bands: kind === "band" ? [{ series: [3, 2], fill: "rgba(0, 63, 82, .18)" }] : undefined,
    };
    drawn.set(figure.id, new uPlot(options, data, place));
  };
  function draw() {
    if (typeof uPlot === "undefined") return;
    for (const figure of document.querySelectorAll(".chart")) one(figure);
    for (const button of document.querySelectorAll("[data-csv], [data-print]")) button.hidden = false;
  }
  addEventListener("resize", () => { for (const plot of drawn.values()) { const place = plot.root.parentElement; if (place) plot.setSize({ width: place.clientWidth, height: place.clientHeight }); } });

  // ---- tables as CSV, printing, menus
  document.addEventListener("click", (event) => {
    const csv = event.target.closest("[data-csv]"), print = event.target.closest("[data-print]");
    if (print) window.print();
    if (!csv) return;
    const { at, columns, values } = read(document.getElementById(csv.dataset.csv));
    const lines = [["time", ...columns.map((each) => each.name)].join(","), ...at.map((time, row) => [new Date(time * 1000).toISOString(), ...values.map((of) => of[row] ?? "")].join(","))];
    const link = document.createElement("a");
    link.href = `data:text/csv;charset=utf-8,${encodeURIComponent(lines.join("\n"))}`;
    link.download = `${csv.dataset.csv}.csv`;
    link.click();
  });
  // a table is shut where there is a chart of it; what the viewer opens or shuts afterwards stays so
  for (const figure of document.querySelectorAll(".chart")) figure.querySelector("details").open = read(figure).at.length === 1;
  draw();
})();
