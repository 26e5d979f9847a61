// What the bench page draws: the walk from above, and the last seconds of it. Metres become pixels in `screen` only.
export const STRIP_S = 10;
const STRIP_M = 4; // of the strip from bottom to top
const VIEW_M = 7.6; // of the walk from top to bottom
const AHEAD_M = 1.5; // of that above the walker
const HEIGHTS = { NOTICE: 1 / 3, WARN: 2 / 3, STOP: 1 };
const DEPTH = 0.6; // of a waist, to its breadth (assumed; for the picture only)
const ROUND = 2 * Math.PI;
let colours = {}, family = "";

export const metres = (value) => (value === null ? "–" : `${value.toFixed(2)} m`);
const radians = (deg) => (deg * Math.PI) / 180;

export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  family = getComputedStyle(document.body).fontFamily;
  const names = ["card", "ink", "soft", "line", "grid", "clear", "notice", "warn", "stop", "fault", "none"];
  names.push("beam", "echo", "wall", "ghost", "person", "walker");
  colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function brush(canvas) {
  const scale = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.lineCap = pen.lineJoin = "round";
  return { pen, width, height };
}

function line(pen, points, colour, width, dash = [], alpha = 1) {
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  Object.assign(pen, { strokeStyle: colour, lineWidth: width, globalAlpha: alpha });
  pen.setLineDash(dash);
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

function area(pen, colour, alpha, draw) {
  pen.beginPath();
  draw();
  Object.assign(pen, { fillStyle: colour, globalAlpha: alpha });
  pen.fill();
  pen.globalAlpha = 1;
}

export function drawPlan(canvas, { scene, frame, camera, trail, level }) {
  const { pen, width, height } = brush(canvas);
  const scale = height / VIEW_M, now = colours[(level || "none").toLowerCase()];
  const screen = ([x, y]) => [width / 2 + (x - camera.x) * scale, (AHEAD_M + y - camera.y) * scale];
  const from = (bearing_deg, far_m, heading = frame.heading_deg, beside_m = 0) => { // of the sensors, in the world
    const angle = radians(heading + bearing_deg), [sin, cos] = [Math.sin(angle), Math.cos(angle)];
    return screen([frame.x_m + sin * far_m + cos * beside_m, frame.y_m + cos * far_m - sin * beside_m]);
  };
  const turn = (bearing_deg) => Math.PI / 2 - radians(frame.heading_deg + bearing_deg);
  const here = screen([frame.x_m, frame.y_m]);

  const left_m = camera.x - width / 2 / scale, top_m = camera.y - AHEAD_M;
  for (let x = Math.ceil(left_m); x < left_m + width / scale; x++) {
    line(pen, [[screen([x, 0])[0], 0], [screen([x, 0])[0], height]], colours.grid, 1);
  }
  for (let y = Math.ceil(top_m); y < top_m + VIEW_M; y++) {
    line(pen, [[0, screen([0, y])[1]], [width, screen([0, y])[1]]], colours.grid, 1);
  }

  const across = (far_m, way) => from(0, far_m, camera.heading, way * scene.swath_m);
  const strip = (to_m, colour, alpha) => area(pen, colour, alpha, () => {
    [across(0, -1), across(to_m, -1), across(to_m, 1), across(0, 1)].forEach((place) => pen.lineTo(...place));
  });
  strip(VIEW_M, colours.line, 0.4);
  for (const sensor of scene.sensors) {
    const [start, stop] = [turn(sensor.bearing_deg + sensor.half_deg), turn(sensor.bearing_deg - sensor.half_deg)];
    const wedge = () => {
      pen.moveTo(...here);
      pen.arc(...here, sensor.range_m * scale, start, stop);
      pen.closePath();
    };
    area(pen, colours.beam, sensor.sweeps ? 0.05 : 0.13, wedge);
    Object.assign(pen, { strokeStyle: colours.beam, lineWidth: 1, globalAlpha: 0.35 });
    pen.stroke();
    pen.globalAlpha = 1;
  }
  if (frame.needed_m !== null) {
    strip(frame.needed_m, colours.stop, 0.1);
    line(pen, [across(frame.needed_m, -1), across(frame.needed_m, 1)], colours.stop, 2.5, [7, 6]);
  }
  line(pen, trail.map(screen), colours.soft, 1.5, [1, 5], 0.8);
  things(pen, scene, frame, screen, scale);
  names(pen, scene, screen, width, height);
  echoes(pen, scene, frame, screen, scale, here, turn);
  if (frame.distance_m !== null && level in HEIGHTS) {
    const there = from(frame.bearing_deg || 0, frame.distance_m);
    line(pen, [here, there], now, 2, [2, 5]);
    area(pen, now, 1, () => pen.arc(...there, 5, 0, ROUND));
    label(pen, metres(frame.distance_m), there[0] + 10, there[1] - 8, now, 700);
  }
  walker(pen, scene, frame, scale, here, turn, now);
  if (frame.end && frame.end.contact) {
    area(pen, colours.stop, 0.15, () => pen.arc(...here, 0.5 * scale, 0, ROUND));
    Object.assign(pen, { strokeStyle: colours.stop, lineWidth: 4 });
    pen.stroke();
    label(pen, "CONTACT", here[0] + 0.55 * scale, here[1] - 0.3 * scale, colours.stop, 700);
  }
  ruler(pen, scale, width);
}

function label(pen, text, x, y, colour, weight = 400) {
  Object.assign(pen, { font: `${weight} 12px ${family}`, strokeStyle: colours.card, lineWidth: 4, fillStyle: colour });
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}

function things(pen, scene, frame, screen, scale) {
  for (const wall of scene.walls) {
    const seen = wall.seen !== false;
    line(pen, wall.points.map(screen), seen ? colours.wall : colours.ghost, seen ? 5 : 3, seen ? [] : [1, 7]);
  }
  for (const post of scene.posts) {
    const seen = post.seen !== false;
    area(pen, seen ? colours.wall : colours.ghost, 1, () => {
      pen.arc(...screen([post.x, post.y]), Math.max(post.radius_m * scale, 3), 0, ROUND);
    });
  }
  for (const person of frame.people) {
    const [x, y] = screen([person.x, person.y]), radius = person.radius_m * scale;
    area(pen, colours.person, 0.25, () => pen.arc(x, y, radius, 0, ROUND));
    Object.assign(pen, { strokeStyle: colours.person, lineWidth: 2.5 });
    pen.stroke();
    area(pen, colours.person, 1, () => pen.arc(x, y, radius * 0.42, 0, ROUND));
  }
}

function names(pen, scene, screen, width, height) {
  const taken = [];
  const put = (of, [x, y]) => {
    if (!of || x < 8 || x > width - 50 || y < 48 || y > height - 30) return;
    if (taken.some(([a, b]) => Math.hypot(a - x, b - y) < 70)) return;
    taken.push([x, y]);
    label(pen, of, x, y, colours.soft);
  };
  for (const wall of scene.walls) {
    const [a, b] = wall.points.slice(0, 2).map(screen);
    const along = (part) => a.map((value, i) => value + part * (b[i] - value));
    const clear = ([x, y]) => x > 20 && x < width - 60 && y > 34 && y < height - 50;
    const inside = [0.72, 0.28, 0.5, 0.85, 0.15, 0.95, 0.05, 0].map(along).find(clear);
    if (inside) put(wall.of, [inside[0] + 9, inside[1] + 18]);
  }
  for (const post of scene.posts) {
    const [x, y] = screen([post.x, post.y]);
    put(post.of, [x + 10, y + 4]);
  }
}

function echoes(pen, scene, frame, screen, scale, here, turn) {
  for (const [x, y] of frame.points.map(screen)) {
    area(pen, colours.card, 1, () => pen.arc(x, y, 3.8, 0, ROUND));
  }
  for (const [x, y] of frame.points.map(screen)) area(pen, colours.echo, 1, () => pen.arc(x, y, 2.6, 0, ROUND));
  for (const reading of frame.readings) {
    const sensor = scene.sensors.find((one) => one.name === reading.sensor);
    if (!sensor || sensor.sweeps || reading.status !== "ok" || reading.distance_m === null) continue;
    const middle = turn(reading.bearing_deg === null ? sensor.bearing_deg : reading.bearing_deg);
    const half = radians(Math.max(sensor.half_deg, 3)); // a beam of 1 degree would not be seen
    pen.beginPath();
    pen.arc(...here, reading.distance_m * scale, middle - half, middle + half);
    Object.assign(pen, { strokeStyle: colours.echo, lineWidth: 3.5 });
    pen.stroke();
  }
}

function walker(pen, scene, frame, scale, here, turn, now) {
  const wide = scene.body_m * scale, deep = wide * DEPTH;
  pen.save();
  pen.translate(...here);
  pen.rotate(turn(0) - Math.PI / 2);
  area(pen, colours.card, 1, () => pen.ellipse(0, -deep, wide, deep, 0, 0, ROUND));
  Object.assign(pen, { strokeStyle: colours.walker, lineWidth: 2.5 });
  pen.stroke();
  area(pen, colours.walker, 1, () => pen.arc(0, -deep, deep * 0.62, 0, ROUND));
  area(pen, colours.walker, 1, () => { // the nose: this way the wearer looks
    pen.moveTo(-deep * 0.3, -deep * 1.5);
    pen.lineTo(0, -deep * 2);
    pen.lineTo(deep * 0.3, -deep * 1.5);
  });
  scene.motors.forEach((motor, index) => {
    const on = frame.duties[index] > 0, angle = radians(motor.bearing_deg);
    const place = [Math.sin(angle) * wide, -deep + Math.cos(angle) * deep];
    area(pen, on ? now : colours.card, 1, () => pen.arc(...place, on ? 4.5 : 3, 0, ROUND));
    Object.assign(pen, { strokeStyle: on ? now : colours.walker, lineWidth: 1.5 });
    pen.stroke();
  });
  pen.restore();
}

function ruler(pen, scale, width) {
  const [from, to, y] = [width - 14 - scale, width - 14, 30];
  line(pen, [[from, y - 5], [from, y], [to, y], [to, y - 5]], colours.ink, 2);
  label(pen, "1 m", from + 6, y - 6, colours.ink);
  line(pen, [[20, 14], [20, 40], [15, 34], [20, 40], [25, 34]], colours.soft, 2);
  label(pen, "the way of the walk", 32, 31, colours.soft);
}

// ---- the last seconds ----

export function drawStrip(canvas, history) {
  const { pen, width, height } = brush(canvas);
  const [left, right, top, bottom, band] = [30, 6, 8, height - 26, 14];
  const now_s = history[history.length - 1].t_s;
  const x = (t_s) => left + (width - left - right) * (1 - (now_s - t_s) / STRIP_S);
  const y = (far_m) => bottom - (bottom - top) * (Math.min(far_m === null ? STRIP_M : far_m, STRIP_M) / STRIP_M);
  for (let far_m = 0; far_m <= STRIP_M; far_m++) {
    line(pen, [[left, y(far_m)], [width - right, y(far_m)]], colours.grid, 1);
    label(pen, `${far_m} m`, 0, y(far_m) + 4, colours.soft);
  }
  label(pen, "alert", 0, bottom + 8 + band, colours.soft);
  runs(history, (one) => one.level).forEach((run, i, all) => {
    const level = run[0].level, high = (HEIGHTS[level] || 0.08) * band;
    const [from, to] = [x(run[0].t_s), x(i + 1 < all.length ? all[i + 1][0].t_s : now_s)];
    area(pen, colours[level.toLowerCase()], 1, () => pen.rect(from, bottom + 8 + band - high, to - from, high));
  });
  const rooms = (run) => run.map((one) => [x(one.t_s), y(one.room)]);
  const needs = (run) => run.map((one) => [x(one.t_s), y(one.needed)]);
  const short = (one) => one.needed !== null && one.room !== null && one.room < one.needed;
  for (const run of runs(history, short).filter((all) => short(all[0]))) {
    const outline = [...needs(run), ...rooms(run).reverse()];
    area(pen, colours.stop, 0.22, () => outline.forEach((place) => pen.lineTo(...place)));
  }
  line(pen, rooms(history), colours.ink, 2);
  const known = (one) => one.needed !== null;
  for (const run of runs(history, known).filter((all) => known(all[0]))) line(pen, needs(run), colours.stop, 2, [5, 5]);
}

function runs(history, key) { // of moments that are alike in `key`
  const found = [];
  history.forEach((one, i) => {
    if (i && key(history[i - 1]) === key(one)) found[found.length - 1].push(one);
    else found.push([one]);
  });
  return found;
}
