// Charts of numbers that stand in the page's own tables: without this program the tables are what is read.
// Colours are the tokens of css/tokens.css, so that the dark needs no palette of its own.

const language = document.documentElement.lang;
const drawn = [];

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// 6万 or 60K, with the currency's sign: as each language writes large numbers.
function compact(currency, exponent) {
  const form = new Intl.NumberFormat(language, {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    notation: "compact",
    maximumFractionDigits: 1,
    minimumFractionDigits: 0,
  });
  return (minor) => form.format(minor / 10 ** exponent);
}

function fill(pattern, values) {
  return pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function common() {
  return {
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 300,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: token("--muted") },
    tooltip: {
      // As SVG text: HTML would need styles inline, which the page's policy forbids.
      renderMode: "richText",
      confine: true,
      backgroundColor: token("--surface"),
      borderColor: token("--border-strong"),
      borderWidth: 1,
      padding: [8, 12],
      textStyle: { color: token("--ink"), fontSize: 13, lineHeight: 20 },
    },
  };
}

function volume(section) {
  const rows = [...section.querySelectorAll("tbody tr")].map((row) => {
    const [name, now, , dayBefore, before] = row.cells;
    return { day: row.dataset.day, name, now, dayBefore, before };
  });
  const words = section.querySelector(".chart-words").dataset;
  const short = compact(section.dataset.currency, Number(section.dataset.exponent));
  // One day has no line.
  const line = rows.length < 2
    ? { type: "bar", barMaxWidth: 72 }
    : { type: "line", showSymbol: false, symbolSize: 6, symbol: "circle", smooth: false };
  const back = token("--surface");
  return {
    ...common(),
    legend: {
      top: 0,
      right: 0,
      data: [words.current, words.before],
      icon: "roundRect",
      itemWidth: 12,
      itemHeight: 12,
      textStyle: { color: token("--muted"), fontSize: 13 },
      selectedMode: false,
    },
    grid: { top: 40, right: 12, bottom: 4, left: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: {
      ...common().tooltip,
      trigger: "axis",
      axisPointer: { type: "line", lineStyle: { color: token("--border-field") } },
      formatter: ([{ dataIndex }]) => {
        const row = rows[dataIndex];
        return [
          `${row.name.textContent}   ${row.now.textContent}`,
          `${row.dayBefore.textContent}   ${row.before.textContent}`,
        ].join("\n");
      },
    },
    xAxis: {
      type: "category",
      boundaryGap: rows.length < 2,
      data: rows.map((row) => row.day.slice(5)),
      axisLine: { lineStyle: { color: token("--border-strong") } },
      axisTick: { show: false },
      axisLabel: { color: token("--muted"), fontSize: 12, hideOverlap: true, margin: 10 },
    },
    yAxis: {
      type: "value",
      splitNumber: 5,
      axisLabel: { color: token("--muted"), fontSize: 12, formatter: short },
      splitLine: { lineStyle: { color: token("--border") } },
    },
    series: [
      {
        ...line,
        name: words.before,
        data: rows.map((row) => Number(row.before.dataset.before)),
        color: token("--border-field"),
        lineStyle: { width: 1.5, type: "dashed" },
        itemStyle: { color: token("--border-field"), borderColor: back },
        z: 2,
      },
      {
        ...line,
        name: words.current,
        data: rows.map((row) => Number(row.now.dataset.value)),
        color: token("--link"),
        lineStyle: { width: 2 },
        itemStyle: { color: token("--link"), borderColor: back },
        areaStyle: { color: token("--link"), opacity: 0.08 },
        z: 3,
      },
    ],
  };
}

function hours(section) {
  const rows = [...section.querySelectorAll("tbody tr")];
  const names = rows.map((row) => row.cells[0].textContent);
  const words = section.querySelector(".chart-words").dataset;
  const data = rows.flatMap((row, weekday) =>
    [...row.querySelectorAll("td")].map((cell, hour) => [hour, weekday, Number(cell.dataset.value)]),
  );
  return {
    ...common(),
    grid: { top: 4, right: 4, bottom: 4, left: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: {
      ...common().tooltip,
      formatter: ({ value: [hour, weekday, count] }) => fill(words.tip, { weekday: names[weekday], hour, count }),
    },
    xAxis: {
      type: "category",
      data: [...Array(24).keys()],
      axisLine: { show: false },
      axisTick: { show: false },
      splitArea: { show: false },
      axisLabel: {
        color: token("--muted"),
        fontSize: 12,
        interval: (hour) => hour % 4 === 0,
        formatter: (hour) => fill(words.hour, { hour }),
      },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: names,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { color: token("--muted"), fontSize: 12 },
    },
    visualMap: {
      show: false,
      min: 0,
      max: Math.max(1, ...data.map(([, , count]) => count)),
      inRange: { color: [token("--heat-low"), token("--heat-high")] },
    },
    series: [
      {
        type: "heatmap",
        data,
        itemStyle: { borderColor: token("--surface"), borderWidth: 2, borderRadius: 4 },
        emphasis: { itemStyle: { borderColor: token("--ink") } },
      },
    ],
  };
}

const OPTIONS = { volume, hours };

function draw(section) {
  const canvas = section.querySelector(".chart-canvas");
  const option = OPTIONS[section.dataset.chart];
  if (!canvas || !option) return;
  const chart = echarts.init(canvas, null, { renderer: "svg" });
  const paint = () => chart.setOption(option(section), { notMerge: true });
  paint();
  new ResizeObserver(() => chart.resize()).observe(canvas);
  drawn.push(paint);
}

// One button a chart: the picture or the table, never both.
function switchViews(section) {
  const button = section.querySelector(".chart-switch");
  const canvas = section.querySelector(".chart-canvas");
  if (!button || !canvas) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const isTable = section.classList.toggle("is-table");
    button.setAttribute("aria-expanded", String(isTable));
  });
}

function repaint() {
  for (const paint of drawn) paint();
}

for (const section of document.querySelectorAll("[data-chart]")) {
  draw(section);
  switchViews(section);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
