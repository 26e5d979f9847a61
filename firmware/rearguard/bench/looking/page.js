// The bench page: orders a walk, listens to its events, and tells what is felt. draw.js draws it.
import { drawPlan, drawStrip, metres, readTheme, STRIP_S } from "./draw.js";

const $ = (id) => document.getElementById(id);
const HOLD_S = 0.4; // longer than any gap of STOP or WARN: where motion is unwanted, a lamp stays lit over them
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const SIGNS = {
  CLEAR: "M-9.5 0a9.5 9.5 0 1 0 19 0a9.5 9.5 0 1 0-19 0M-4.5 0L-1 3.5 5-3.5",
  NOTICE: "M0-10.5L10.5 0 0 10.5-10.5 0ZM0-5V1.5M0 4.5V5",
  WARN: "M0-9.5L10.5 9H-10.5ZM0-3V3M0 5.5V6",
  STOP: "M-4.3-10.4H4.3L10.4-4.3V4.3L4.3 10.4H-4.3L-10.4 4.3V-4.3ZM-6-1.6V1.6H6V-1.6Z",
  FAULT: "M-9.5-9.5H9.5V9.5H-9.5ZM-5-5L5 5M5-5L-5 5",
  "": "M-9.5 0a9.5 9.5 0 1 0 19 0a9.5 9.5 0 1 0-19 0",
};

let scene = null, frame = null, source = null, walk = null, order = 0;
let paused = calm.matches, over = false, dirty = false;
let history = [], trail = [], said = new Map(), lit = [], camera = null;

const speed = () => document.querySelector("input[name=speed]:checked").value;

// ---- orders ----

async function post(path, what) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(what),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.status === 204 ? null : answer.json();
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

function leave() {
  if (source) source.close();
  source = walk = null;
}

async function begin() {
  if (!$("seed").reportValidity()) return;
  const mine = ++order;
  leave();
  trouble("");
  over = false;
  show();
  const wanted = {
    scenario: $("scenario").value, fit: $("fit").value, profile: $("profile").value,
    seed: Number($("seed").value), obeys: $("obeys").checked,
  };
  window.history.replaceState(null, "", `?${new URLSearchParams(wanted)}`);
  const asked = { speed: speed(), paused };
  try {
    const made = await post("start", { ...wanted, ...asked });
    if (mine !== order) return;
    walk = made.id;
  } catch (error) {
    if (mine === order) finish(error.message);
    return;
  }
  if (paused !== asked.paused) control(paused ? "pause" : "play");
  if (speed() !== asked.speed) control(speed());
  source = new EventSource(`stream/${walk}`);
  source.addEventListener("scene", (event) => enter(JSON.parse(event.data)));
  source.addEventListener("frame", (event) => step(JSON.parse(event.data)));
  source.addEventListener("trouble", (event) => finish(JSON.parse(event.data)));
  source.onerror = () => finish("The walk was cut off. Restart begins it anew.");
}

function finish(text) {
  leave();
  over = true;
  trouble(text);
  show();
}

function control(action) {
  if (walk) post("control", { id: walk, action }).catch((error) => over || trouble(error.message));
}

function toggle() {
  paused = over ? false : !paused;
  if (over) return begin();
  control(paused ? "pause" : "play");
  return show();
}

function restart() {
  paused = false;
  begin();
}

function show() {
  $("play").textContent = over ? "Play again" : paused ? "Play" : "Pause";
}

// ---- what comes in ----

function enter(still) {
  scene = still;
  [frame, camera, history, trail, said] = [null, null, [], [], new Map()];
  lit = scene.motors.map(() => ({ duty: 0, until_s: -1 }));
  $("says").textContent = scene.says;
  $("limit").textContent = scene.limit ? `A declared limit: ${scene.limit}` : "";
  $("limit").hidden = !scene.limit;
  $("end").hidden = true;
  const places = scene.motors.map((motor, index) => ({ ...motor, index }));
  places.sort((a, b) => a.bearing_deg - b.bearing_deg);
  $("belt").replaceChildren(...places.map((motor) => {
    const item = document.createElement("li");
    item.dataset.index = motor.index;
    item.append(document.createElement("i"), motor.name.replaceAll("_", " "));
    return item;
  }));
}

function step(next) {
  frame = next;
  history.push({ t_s: frame.t_s, room: frame.room_m, needed: frame.needed_m, level: frame.level });
  while (history[0].t_s < frame.t_s - STRIP_S) history.shift();
  trail.push([frame.x_m, frame.y_m]);
  if (trail.length > 400) trail.shift(); // 20 s of it
  for (const reading of frame.readings) said.set(reading.sensor, reading);
  const old = camera || { x: frame.x_m, y: frame.y_m, heading: frame.heading_deg };
  camera = { // follows the walker, but not each step's swaying
    x: old.x + 0.15 * (frame.x_m - old.x), y: old.y + 0.3 * (frame.y_m - old.y),
    heading: old.heading + 0.1 * (frame.heading_deg - old.heading),
  };
  dirty = true;
  tell();
  if (frame.end) {
    $("outcome").textContent = frame.end.contact ? "CONTACT" : "No contact";
    $("summary").textContent = frame.end.text;
    $("end").dataset.contact = frame.end.contact;
    $("end").hidden = false;
    finish("");
  }
}

function standing() {
  if (frame.level !== "CLEAR") return frame.level;
  if (frame.faults.length) return "FAULT";
  return frame.word.toUpperCase() === "CLEAR" ? "CLEAR" : "";
}

function side(bearing_deg) {
  const away = Math.abs(bearing_deg);
  if (away < 15) return "behind";
  return `${away < 60 ? "behind, " : ""}${Math.round(away)}° to the ${bearing_deg < 0 ? "left" : "right"}`;
}

function tell() {
  const level = standing();
  const word = level === "FAULT" ? "FAULT" : frame.word.toUpperCase();
  const place = frame.distance_m === null ? "" : `${metres(frame.distance_m)} ${side(frame.bearing_deg || 0)}`;
  const closing = frame.closing_mps === null ? "" : `, closing ${frame.closing_mps.toFixed(2)} m/s`;
  if ($("word").textContent !== word) $("aloud").textContent = place ? `${word}, ${place}` : word;
  $("word").textContent = word;
  $("where").textContent = place + closing || "\u00a0";
  $("level").dataset.level = $("belt").dataset.level = level;
  $("sign").setAttribute("d", SIGNS[level]);
  for (const item of $("belt").children) {
    const duty = lamp(Number(item.dataset.index));
    item.dataset.on = duty > 0;
    item.firstChild.style.setProperty("--duty", duty && 0.4 + 0.6 * duty);
  }
  $("buzzer").textContent = frame.buzzer ? "buzzer sounds" : "buzzer silent";
  $("buzzer").className = frame.buzzer ? "on" : "";
  $("faults").textContent = frame.faults.join(", ") || "no fault";
  $("faults").className = frame.faults.length ? "any" : "";
  $("room").textContent = metres(frame.room_m);
  $("needed").textContent = metres(frame.needed_m);
  $("pace").textContent = `${frame.speed_mps.toFixed(2)} m/s`;
  $("way").textContent = metres(frame.y_m);
  $("time").textContent = `${frame.t_s.toFixed(1)} s`;
  $("readings").replaceChildren(...scene.sensors.map(heard));
}

function lamp(index) {
  const duty = frame.duties[index] || 0;
  if (duty > 0) lit[index] = { duty, until_s: frame.t_s + HOLD_S };
  return duty || (calm.matches && frame.t_s < lit[index].until_s ? lit[index].duty : 0);
}

function heard(sensor) {
  const item = document.createElement("li");
  const name = document.createElement("span"), value = document.createElement("span");
  const reading = said.get(sensor.name);
  name.textContent = sensor.name;
  if (!reading) value.textContent = sensor.sweeps && frame.points.length ? `${frame.points.length} points` : "–";
  else value.textContent = reading.status === "ok" ? metres(reading.distance_m) : reading.status.replaceAll("_", " ");
  item.append(name, value);
  return item;
}

// ---- the pictures ----

function draw() {
  if (dirty && frame) {
    dirty = false;
    drawPlan($("plan"), { scene, frame, camera, trail, level: standing() });
    drawStrip($("strip"), history);
  }
  requestAnimationFrame(draw);
}

function look() {
  readTheme();
  dirty = true;
}

// ---- the reader ----

function choices(select, values, wanted) {
  select.replaceChildren(...values.map(([value, text]) => new Option(text, value)));
  if (values.some(([value]) => value === wanted)) select.value = wanted;
}

async function open() {
  const asked = new URLSearchParams(location.search);
  const menu = await (await fetch("menu")).json();
  choices($("scenario"), menu.scenarios.map((one) => [one.name, one.title]), asked.get("scenario"));
  choices($("fit"), menu.fits.map((name) => [name, name]), asked.get("fit"));
  choices($("profile"), menu.profiles.map((name) => [name, name]), asked.get("profile"));
  if (/^\d{1,10}$/.test(asked.get("seed"))) $("seed").value = asked.get("seed");
  $("obeys").checked = asked.get("obeys") !== "false";
  begin();
}

$("order").addEventListener("change", begin);
$("order").addEventListener("submit", (event) => event.preventDefault());
$("play").addEventListener("click", toggle);
$("restart").addEventListener("click", restart);
document.querySelector(".controls fieldset").addEventListener("change", () => control(speed()));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input[type=number]")) return;
  if (event.key === " " && !event.repeat && !event.target.closest("button, input")) {
    event.preventDefault();
    toggle();
  } else if (event.key === "r" || event.key === "R") restart();
});
window.addEventListener("pagehide", leave);
new ResizeObserver(() => { dirty = true; }).observe(document.body);
dark.addEventListener("change", look);
look();
requestAnimationFrame(draw);
open().catch(() => finish("The bench does not answer. Is it still running in the terminal?"));
