"use strict";
/* One picture at a time. A label counts when the server says that it is on the disk; until
   then the next picture does not come. The next picture is fetched while one is seen. */

const $ = (id) => document.getElementById(id);
const AHEAD = 2;  // pictures fetched before they are shown
const images = new Map();  // number -> {image, failure}, as they come
let sample = null;
let labels = [];  // by number; null where there is none
let order = [];  // numbers, in the order in which they were labelled
let current = null;  // number of the picture on the page
let shownAt = 0;
let busy = false;

const left = () => labels.filter((label) => label === null).length;
const next = () => labels.indexOf(null);
const name = (choice) => (choice === sample.choices.at(-1) ? "skipped" : choice);

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function say(text, isWrong = false) {
  $("status").className = isWrong ? "wrong" : "hidden";
  $("status").textContent = text;
}

async function send(action, values = {}) {
  const response = await fetch(action, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(values),
  });
  if (response.status === 409) return null;
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.json();
}

// ---- pictures --------------------------------------------------------------------------

// A failed picture is asked for again to learn why: an <img> does not tell.
async function why(number) {
  try {
    const response = await fetch(`picture?number=${number}`);
    return response.ok ? "This picture cannot be shown by this browser." : response.text();
  } catch {
    return "The server does not answer; start label again, nothing is lost.";
  }
}

function fetched(number) {
  if (!images.has(number)) {
    const image = element("img", {src: `picture?number=${number}`,
      alt: `Picture ${number + 1} of ${labels.length}`, draggable: false});
    images.set(number, image.decode().then(() => image, async () =>
      element("p", {textContent: await why(number)})));
  }
  return images.get(number);
}

async function show(number) {
  current = number;
  zoom(false);
  $("done").hidden = number >= 0;
  for (const part of ["title", "work", "choices", "zoom"]) $(part).hidden = number < 0;
  count();
  if (number < 0) return finished();
  $("view").replaceChildren();
  $("view").setAttribute("aria-busy", "true");
  const shown = await fetched(number);
  if (current !== number) return;
  $("view").replaceChildren(shown);
  $("view").setAttribute("aria-busy", "false");
  $("view").setAttribute("aria-label", `Picture ${number + 1} of ${labels.length}`);
  tell(number);
  shownAt = performance.now();
  const kept = [];
  for (let i = number; i < labels.length && kept.length <= AHEAD; i += 1) {
    if (labels[i] === null) kept.push(i);
  }
  kept.forEach(fetched);
  for (const known of images.keys()) if (!kept.includes(known)) images.delete(known);
}

function tell(number) {
  const [answer, sureness] = (sample.answers || [])[number] || [];
  $("told").hidden = !sample.names;
  if (!sample.names) return;
  const said = answer ? `: the model says ${answer}, ${Math.round(100 * sureness)} %` : "";
  $("told").textContent = sample.names[number] + said;
}

function zoom(on) {
  $("view").classList.toggle("zoomed", on);
  $("zoom").setAttribute("aria-pressed", String(on));
  const image = $("view").querySelector("img");
  if (!on || !image) return;
  // at least twice what fits, and no less than its own pixels
  const fits = Math.min($("view").clientWidth / image.naturalWidth,
    $("view").clientHeight / image.naturalHeight);
  image.style.width = `${Math.max(1, 2 * fits) * image.naturalWidth}px`;
  $("view").scrollLeft = ($("view").scrollWidth - $("view").clientWidth) / 2;
  $("view").scrollTop = ($("view").scrollHeight - $("view").clientHeight) / 2;
}

function unzoomed() {
  const image = $("view").querySelector("img");
  if (image) image.style.width = "";
}

function toggle() {
  const on = !$("view").classList.contains("zoomed");
  if (!on) unzoomed();
  zoom(on);
  say(on ? "Zoomed in; arrow keys move the picture." : "The whole picture.");
  if (on) $("view").focus({preventScroll: true});
}

// ---- labels ----------------------------------------------------------------------------

async function alone(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
  } catch (error) {
    say(`Not saved: ${error.message}. Start label again; nothing that was saved is lost.`,
      true);
  } finally {
    busy = false;
  }
}

const press = (index) => alone(async () => {
  if (current < 0 || $("view").getAttribute("aria-busy") === "true") return;
  const [number, label] = [current, sample.choices[index]];
  const seconds = (performance.now() - shownAt) / 1000;
  const button = $("choices").children[index];
  button.classList.add("pressed");
  setTimeout(() => button.classList.remove("pressed"), 150);
  if (!(await send("label", {number, label, seconds}))) return load();  // another window
  unzoomed();
  labels[number] = label;
  order.push(number);
  const done = labels.length - left();
  $("saved").textContent = `Saved: ${name(label)}`;
  say(`Saved: ${name(label)}.` +
    (left() ? ` Picture ${next() + 1} of ${labels.length}.` : ` All ${done} are done.`));
  await show(next());
});

const undo = () => alone(async () => {
  const {number} = await send("undo");
  if (number === null) return say("There is nothing to undo.");
  const was = labels[number];
  labels[number] = null;
  order = order.filter((one) => one !== number);
  unzoomed();
  $("saved").textContent = `Taken back: ${name(was)}`;
  say(`Taken back: ${name(was)}. Picture ${number + 1} of ${labels.length} again.`);
  await show(number);
});

function count() {
  const done = labels.length - left();
  const shown = current < 0 ? "" : `Picture ${current + 1} of ${labels.length} · `;
  $("count").textContent = `${shown}${done} done by ${sample.annotator}`;
  $("progress").max = labels.length;
  $("progress").value = done;
  $("progress").setAttribute("aria-valuetext", `${done} of ${labels.length}`);
  $("undo").disabled = !order.length;
}

function finished() {
  const skipped = labels.filter((label) => label === sample.choices.at(-1)).length;
  $("done-text").textContent = `${sample.out} holds ${labels.length - skipped} labels and ` +
    `${skipped} skipped pictures by ${sample.annotator}. Undo still takes the last one back.`;
  $("done").focus();
}

const finish = () => alone(async () => {
  await send("finish");
  for (const part of ["tools", "choices", "finish"]) $(part).hidden = true;
  $("done-title").textContent = "This page can be closed";
  $("done-text").textContent = "The terminal says how far annotators agree.";
  current = null;
  $("done").focus();
});

// ---- start -----------------------------------------------------------------------------

const TOOLS = {u: undo, Backspace: undo, z: toggle};

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !sample) return;
  if (current === null) return;
  const index = sample.keys.indexOf(event.key.toLowerCase());
  const tool = TOOLS[event.key] || TOOLS[event.key.toLowerCase()];
  if (event.key.length === 1 && index >= 0) press(index);
  else if (tool) tool();
  else return;
  event.preventDefault();
}

async function load() {
  sample = await (await fetch("sample")).json();
  ({labels, order} = sample);
  await show(next());
}

async function start() {
  try {
    sample = await (await fetch("sample")).json();
  } catch (error) {
    return say(`The server does not answer: ${error.message}.`, true);
  }
  const feelings = sample.choices.slice(0, -1);
  if (feelings.join() === "negative,positive") {
    $("title").textContent = "Does this picture feel negative or positive?";
  } else {
    $("title").textContent = "What does this picture show?";
  }
  $("choices").replaceChildren(...sample.choices.map((choice, index) => {
    const button = element("button", {type: "button"},
      element("kbd", {textContent: sample.keys[index].toUpperCase(), ariaHidden: "true"}),
      element("span", {textContent: choice}));
    const tone = {negative: "negative", positive: "positive"}[choice];
    const isSkip = index === feelings.length;
    button.className = isSkip ? "skip" : tone && feelings.length === 2 ? tone : "";
    button.setAttribute("aria-keyshortcuts", sample.keys[index]);
    button.addEventListener("click", () => press(index));
    return button;
  }));
  $("tools").hidden = false;
  $("undo").addEventListener("click", undo);
  $("zoom").addEventListener("click", toggle);
  $("view").addEventListener("click", toggle);
  $("finish").addEventListener("click", finish);
  document.addEventListener("keydown", pressed);
  ({labels, order} = sample);
  say(`Picture ${next() + 1} of ${labels.length}. Keys: ` +
    sample.choices.map((choice, i) => `${sample.keys[i]} ${choice}`).join(", ") +
    ", u undo, z zoom.");
  await show(next());
}

start();
