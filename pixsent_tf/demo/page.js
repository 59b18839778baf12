"use strict";
/* One picture at a time goes to this machine's own server and comes back as an answer.
   The threshold of "unsure", the order and the CSV file are the page's own business. */

const $ = (id) => document.getElementById(id);
const PICTURE = /\.(jpe?g|jpe|jfif|png|gif|bmp|webp|tiff?|hei[cf])$/i;
const items = [];  // {file, name, reply, maps, row}; reply is null while it waits
let model = null;
let threshold = 0;  // smallest probability of an answer that is not "unsure"
let shown = null;
let busy = false;

function percent(p) {
  if (p > 0.999 && p < 1) return ">\u00a099.9\u00a0%";
  if (p < 0.001 && p > 0) return "<\u00a00.1\u00a0%";
  return `${(100 * p).toFixed(p > 0.99 && p < 1 ? 1 : 0)}\u00a0%`;
}

const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
const read = (item) => item.reply && item.reply.status === "ok";
const failed = (item) => item.reply && item.reply.status !== "ok";
const sureness = (item) => Math.max(...Object.values(item.reply.probs));
const last = (item) => item.reply.probs[model.class_names.at(-1)];
const rates = () => !model.class_names.length;  // ratings are all that it answers
const ratings = (item) => Object.entries(item.reply.ratings || {});
const answer = (item) => {
  if (rates()) return ratings(item).map(([name, [is]]) => `${name} ${is.toFixed(1)}`).join(", ");
  return sureness(item) < threshold ? "unsure" : item.reply.answer;
};

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// `how` is "wrong", or "hidden" for what a reader of the screen sees elsewhere.
function say(text, how = "") {
  $("status").className = how;
  $("status").textContent = text;
}

async function ask(question, item) {
  const response = await fetch(`${question}?name=${encodeURIComponent(item.name)}`, {
    method: "POST",
    headers: {"Content-Type": "application/octet-stream"},
    body: item.file,
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.json();
}

// ---- pictures come in, answers come back -------------------------------------------

function add(files) {
  const chosen = [...files];
  if (!chosen.length || !model) return;
  for (const file of chosen) {
    const name = file.webkitRelativePath || file.name;
    const item = {file, name, reply: null, maps: null, row: element("tr")};
    if (file.size > model.max_bytes) {
      item.reply = {name, status: "too_large", message:
        `${name} has ${megabytes(file.size)}; the limit is ${megabytes(model.max_bytes)}.`};
    }
    item.row.addEventListener("click", () => item.reply && choose(item));
    items.push(item);
    fill(item);
  }
  $("results").hidden = false;
  arrange();
  work();
}

// What a folder that is dropped holds; a browser gives its entries in portions.
async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    return PICTURE.test(file.name) ? [file] : [];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return found;
    for (const one of some) found.push(...(await walk(one)));
  }
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((one) => one.webkitGetAsEntry?.());
  const files = [...transfer.files];  // to be read before anything is waited for
  if (!entries.some((entry) => entry?.isDirectory)) return add(files);
  const found = [];
  for (const entry of entries.filter(Boolean)) found.push(...(await walk(entry)));
  if (!found.length) say("What was dropped holds no pictures.", "wrong");
  return add(found);
}

const megabytes = (bytes) => `${Number((bytes / 1e6).toFixed(1))} MB`;

async function work() {
  if (busy) return;
  busy = true;
  let item;
  while ((item = items.find((one) => !one.reply))) {
    progress();
    let reply;
    try {
      reply = await ask("predict", item);
    } catch (error) {
      reply = {name: item.name, status: "failed",
        message: `${item.name} got no answer: ${error.message}.`};
    }
    item.reply = reply;
    if (!items.includes(item)) continue;  // cleared meanwhile
    fill(item);
    if (!shown && read(item)) show(item);
    if ($("order").value !== "added") arrange();
    tally();
  }
  busy = false;
  finish();
}

function progress() {
  const done = items.filter((item) => item.reply).length;
  $("progress").hidden = items.length < 2;
  $("progress").max = items.length;
  $("progress").value = done;
  if (done % 10 === 0) say(`${done} of ${items.length} pictures done …`);
}

function finish() {
  $("progress").hidden = true;
  if (!items.length) return;
  const bad = items.filter(failed);
  if (!shown && bad.length) show(bad[0]);
  if (bad.length === 1) return say(bad[0].reply.message, "wrong");
  if (bad.length) return say(`${bad.length} files could not be read; the table says why.`, "wrong");
  if (items.length === 1) return say(`${items[0].name}: ${sentence(items[0])}`, "hidden");
  return say(`${count(items.length, "picture")} done.`);
}

// ---- one picture ---------------------------------------------------------------------

async function show(item) {
  const before = shown;
  shown = item;
  for (const one of [before, item]) if (one) fill(one);
  drawDetail();
  if (!read(item)) return;
  $("stack").classList.add("waiting");
  $("picture").src = item.maps ? item.maps.picture : item.reply.thumbnail;
  $("picture").alt = item.name;
  $("overlay").hidden = $("legend").hidden = true;
  if (!item.maps) {
    $("map-status").textContent = model.maps.length ? "Drawing the map …" : "";
    try {
      item.maps = await ask("map", item);
    } catch (error) {
      $("map-status").textContent = `No map: ${error.message}.`;
    }
  }
  if (shown === item) drawMap();
}

function drawMap() {
  $("stack").classList.remove("waiting");
  const maps = shown && shown.maps;
  if (!maps) return;
  $("map-status").textContent = maps.message || "";
  if (maps.picture) $("picture").src = maps.picture;
  const view = document.querySelector("[name=view]:checked").value;
  const facet = facetOf(shown);
  const drawn = maps.maps && view !== "picture";
  $("overlay").hidden = !drawn;
  $("legend").hidden = !drawn;
  $("legend").classList.toggle("cells", view === "cells");
  if (!drawn) return;
  [$("low").textContent, $("high").textContent] = [facet.low, facet.high];
  $("overlay").src = maps.maps[facet.name][view];
  $("overlay").alt = rates()
    ? `Map of ${shown.name}: from where ${facet.name} is ${facet.low} to ${facet.high}`
    : `Sentiment map of ${shown.name}: which places feel ${facet.low} or ` +
      `${facet.high} to the model`;
}

// What the map is of: the one that is chosen, else the answer's, else the only one.
function facetOf(item) {
  const wanted = $("facet").value || item.reply.answer;
  return model.maps.find((one) => one.name === wanted) || model.maps[0];
}

function drawDetail() {
  const item = shown;
  const ok = item && read(item);
  for (const part of document.querySelectorAll(".figure, .unsure")) part.hidden = !ok;
  $("detail").classList.toggle("alone", !ok);
  $("views").hidden = !ok || !model.maps.length;
  if (model && rates()) document.querySelector(".unsure").hidden = true;
  $("detail").hidden = !item;
  if (!item) return;
  $("name").textContent = item.name;
  const said = ok ? answer(item) : "not readable";
  $("answer").textContent = ok && said !== "unsure" && !rates()
    ? `${said} ${percent(sureness(item))}` : said;
  $("answer").className = tone(said);
  $("sentence").textContent = said === item.reply.answer || (ok && rates())
    ? "" : sentence(item);
  $("scale").replaceChildren(...(ok ? scale(item) : []));
  drawPlane(item);
}

const tone = (said) =>
  ({[model.class_names[0]]: "negative", [model.class_names[1]]: "positive"})[
    model.class_names.length === 2 ? said : ""] || "";

function sentence(item) {
  if (!read(item)) return item.reply ? item.reply.message : "";
  const {answer: best} = item.reply;
  if (rates()) return `It is rated ${answer(item)}.`;
  if (answer(item) === "unsure") {
    return `It leans to ${best} with ${percent(sureness(item))}, too little to say so.`;
  }
  return `It feels ${best}, with a probability of ${percent(sureness(item))}.`;
}

function scale(item) {
  const [low, high] = model.class_names;
  if (rates()) return ratings(item).flatMap(([name, found]) => ratingLine(name, found));
  if (model.class_names.length !== 2) return classes(item);
  const line = element("div", {className: "line", role: "img"});
  line.setAttribute("aria-label", `From ${low} to ${high}: ${percent(last(item))} ${high}. ` +
    `Unsure from ${percent(1 - threshold)} to ${percent(threshold)}.`);
  const band = element("div", {className: "band"});
  band.style.left = `${100 * (1 - threshold)}%`;
  band.style.right = band.style.left;
  const mark = element("div", {className: "mark"});
  mark.style.left = `${100 * last(item)}%`;
  line.append(element("div", {className: "track"}), band, mark);
  const ends = element("div", {className: "ends small soft"},
    element("span", {textContent: low}), element("span", {textContent: "unsure"}),
    element("span", {textContent: high}));
  ends.children[1].hidden = threshold <= 0.5;
  ends.setAttribute("aria-hidden", "true");
  return [line, ends];
}

// A rating on its scale; the band holds nine of ten.
function ratingLine(name, [is, from, to]) {
  const [least, most] = model.rating_scale;
  const place = (value) => `${(100 * (value - least)) / (most - least)}%`;
  const line = element("div", {className: "line rating", role: "img"});
  line.setAttribute("aria-label", `${name}: ${is.toFixed(1)} of ${least} to ${most}, ` +
    `nine of ten from ${from.toFixed(1)} to ${to.toFixed(1)}`);
  const band = element("div", {className: "band"});
  band.style.left = place(from);
  band.style.right = `calc(100% - ${place(to)})`;
  const mark = element("div", {className: "mark"});
  mark.style.left = place(is);
  line.append(element("div", {className: "track"}), band, mark);
  const ends = element("div", {className: "ends small soft"},
    element("span", {textContent: least}),
    element("span", {textContent: `${name}, nine of ten ${from.toFixed(1)} to ${to.toFixed(1)}`}),
    element("span", {textContent: most}));
  ends.setAttribute("aria-hidden", "true");
  return [line, ends];
}

function classes(item) {
  const probs = Object.entries(item.reply.probs).sort((a, b) => b[1] - a[1]);
  return probs.slice(0, 10).map(([name, prob]) => {
    const bar = element("i");
    bar.style.width = `${100 * prob}%`;
    return element("div", {className: "class"}, element("span", {textContent: name}),
      element("span", {}, bar), element("b", {textContent: percent(prob)}));
  });
}

// Where the picture lies by valence and arousal; the box holds nine of ten on each side.
function drawPlane(item) {
  const {valence, arousal} = (item && read(item) && item.reply.ratings) || {};
  $("plane").hidden = !valence || !arousal;
  if ($("plane").hidden) return;
  const [least, most] = model.rating_scale;
  const x = (value) => (100 * (value - least)) / (most - least);
  const y = (value) => 100 - x(value);
  const put = (id, values) => {
    for (const [name, value] of Object.entries(values)) $(id).setAttribute(name, value);
  };
  put("plane-range", {x: x(valence[1]), y: y(arousal[2]),
    width: x(valence[2]) - x(valence[1]), height: y(arousal[1]) - y(arousal[2])});
  put("plane-point", {cx: x(valence[0]), cy: y(arousal[0])});
  put("plane-picture", {"aria-label":
    `Valence ${valence[0].toFixed(1)}, from ${valence[1].toFixed(1)} to ` +
    `${valence[2].toFixed(1)}; arousal ${arousal[0].toFixed(1)}, from ` +
    `${arousal[1].toFixed(1)} to ${arousal[2].toFixed(1)}; of ${least} to ${most}.`});
  $("plane-says").textContent = `valence ${valence[0].toFixed(1)} (across), arousal ` +
    `${arousal[0].toFixed(1)} (up), of ${least} to ${most}; the box holds nine of ten ` +
    "ratings each way";
}

// ---- all pictures --------------------------------------------------------------------

const ORDERS = {
  added: () => 0,
  surest: (a, b) => sureness(b) - sureness(a),
  unsure: (a, b) => sureness(a) - sureness(b),
  last: (a, b) => value(b) - value(a),
  first: (a, b) => value(a) - value(b),
};

function ordered() {
  const answered = items.filter(read).sort(ORDERS[$("order").value]);
  if ($("order").value === "added") return items;
  return [...answered, ...items.filter((item) => !read(item))];
}

function arrange() {
  const focused = document.activeElement;
  $("rows").replaceChildren(...ordered().map((item) => item.row));
  if ($("rows").contains(focused)) focused.focus();
  tally();
}

function tally() {
  const counts = new Map();
  for (const item of items) {
    const key = !item.reply ? "waiting" : !read(item) ? "not readable"
      : rates() ? "rated" : answer(item);
    counts.set(key, (counts.get(key) || 0) + 1);
  }
  const parts = [...counts].map(([key, n]) => `${n} ${key}`);
  $("counts").textContent = `${count(items.length, "picture")}: ${parts.join(", ")}.`;
}

function fill(item) {
  const hadFocus = item.row.contains(document.activeElement);
  const small = read(item)
    ? element("img", {src: item.reply.thumbnail, alt: "", width: 48, height: 48})
    : element("span", {className: "none", textContent: item.reply ? "!" : "…"});
  const button = element("button", {type: "button"}, small,
    element("span", {textContent: item.name}));
  button.disabled = !item.reply;
  item.row.replaceChildren(element("td", {}, button));
  if (item === shown) item.row.setAttribute("aria-current", "true");
  else item.row.removeAttribute("aria-current");
  if (read(item)) {
    item.row.append(element("td", {textContent: answer(item), className: tone(answer(item))}),
      element("td", {className: "number",
        textContent: rates() ? value(item).toFixed(2) : percent(value(item))}));
  } else {
    const why = item.reply ? item.reply.message.replace(`${item.name} `, "") : "waiting";
    item.row.append(element("td", {colSpan: 2, className: "reason", textContent: why}));
  }
  if (hadFocus) button.focus({preventScroll: true});
}

const value = (item) => {
  if (rates()) return ratings(item)[0][1][0];
  return model.class_names.length === 2 ? last(item) : sureness(item);
};

function choose(item) {
  show(item);
  $("detail").scrollIntoView({block: "nearest"});
  say("");
  $("answer").focus({preventScroll: true});
}

function csv() {
  const quote = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const names = model.class_names;
  const targets = model.rating_scale
    ? Object.keys(items.find(read)?.reply.ratings || {}) : [];
  const rated = targets.flatMap((name) => ["answer", "low", "high"].map((p) => `${p}_${name}`));
  const own = rates() ? [] : ["answer", ...names.map((name) => `prob_${name}`)];
  const lines = [rates() ? ["path", ...rated, "status"] : ["path", ...own, "status", ...rated]];
  for (const item of items.filter((one) => one.reply)) {
    const probs = names.map((name) => (read(item) ? item.reply.probs[name].toFixed(6) : ""));
    const numbers = targets.flatMap((name) =>
      (read(item) ? item.reply.ratings[name].map((one) => one.toFixed(3)) : ["", "", ""]));
    const cells = [read(item) ? answer(item) : "", ...probs];
    lines.push(rates() ? [item.name, ...numbers, item.reply.status]
      : [item.name, ...cells, item.reply.status, ...numbers]);
  }
  const text = lines.map((line) => line.map(quote).join(",") + "\n").join("");
  const link = element("a", {download: "predictions.csv",
    href: URL.createObjectURL(new Blob([text], {type: "text/csv"}))});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  say(`predictions.csv holds ${count(lines.length - 1, "row")}.`);
}

// ---- unsure --------------------------------------------------------------------------

function drawThreshold() {
  $("threshold-value").textContent = `${(100 * threshold).toFixed(1)} %`;
  $("threshold").setAttribute("aria-valuetext", $("threshold-value").textContent);
  const {held_out: known} = model;
  if (!known.length) {
    $("threshold-note").textContent =
      "This model does not know how often it is right at a given probability.";
    return;
  }
  const given = known.filter(([sure]) => sure >= threshold);
  const right = given.filter(([, correct]) => correct).length;
  const share = given.length ? ` and is right on ${percent(right / given.length)} of those` : "";
  $("threshold-note").textContent = `Of ${count(known.length, "picture")} that did not ` +
    `train it, it then answers ${percent(given.length / known.length)}${share}.`;
}

function clear() {
  items.length = 0;
  shown = null;
  $("results").hidden = true;
  say("All pictures are cleared.");
  $("files").focus();
}

// ---- start ---------------------------------------------------------------------------

function listen() {
  for (const id of ["files", "folder"]) {
    $(id).addEventListener("change", (event) => {
      const chosen = [...event.target.files];
      add(id === "folder" ? chosen.filter((f) => PICTURE.test(f.name)) : chosen);
      event.target.value = "";
    });
  }
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    $("drop").classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) $("drop").classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    $("drop").classList.remove("over");
    dropped(event.dataTransfer);
  });
  document.addEventListener("paste", (event) => add(event.clipboardData.files));
  for (const radio of document.querySelectorAll("[name=view]")) {
    radio.addEventListener("change", drawMap);
  }
  $("facet").addEventListener("change", drawMap);
  $("threshold").addEventListener("input", () => {
    threshold = Number($("threshold").value);
    drawThreshold();
    items.forEach(fill);
    tally();
    if (shown) drawDetail();
  });
  $("order").addEventListener("change", arrange);
  $("csv").addEventListener("click", csv);
  $("clear").addEventListener("click", clear);
}

// A chooser where there is more than one map: of the answer, or of any class or rating.
function offerMaps() {
  $("facets").hidden = model.maps.length < 2;
  const names = model.maps.map(({name}) => element("option", {value: name, textContent: name}));
  if (!rates()) names.unshift(element("option", {value: "", textContent: "its answer"}));
  $("facet").replaceChildren(...names);
}

function nameRatings(options) {
  const name = model.targets[0];
  $("title").textContent = `How is this picture rated: ${model.targets.join(", ")}?`;
  $("prob-column").textContent = name;
  options[3].textContent = `most ${name} first`;
  options[4].textContent = `least ${name} first`;
  options[2].remove();
  options[1].remove();
}

async function start() {
  listen();
  try {
    model = await (await fetch("model")).json();
  } catch (error) {
    return say(`The server does not answer: ${error.message}.`, "wrong");
  }
  $("model").textContent = model.name;
  $("limit").textContent = `JPEG, PNG, GIF, WebP, BMP, TIFF; up to ${megabytes(model.max_bytes)} each.`;
  const names = model.class_names;
  offerMaps();
  const options = $("order").options;
  if (rates()) {
    nameRatings(options);
  } else if (names.length === 2) {
    $("prob-column").textContent = `Probability of ${names[1]}`;
    options[3].textContent = `most ${names[1]} first`;
    options[4].textContent = `most ${names[0]} first`;
  } else {
    $("title").textContent = "What does this picture say?";
    [...options].slice(3).forEach((option) => option.remove());
  }
  if (rates()) return;
  const lowest = 1 / names.length;
  Object.assign($("threshold"), {min: lowest.toFixed(3), max: 1});
  // the slider shows the step beside it, but until it is moved the model's own holds
  $("threshold").value = threshold = model.threshold ?? lowest;
  drawThreshold();
}

start();
