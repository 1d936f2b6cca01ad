// The browser's side of a panel. Python draws; this keeps what is seen in step with it, without losing focus
// or what was typed, and says what was pressed. Messages are `{do, fields}`; nothing else is known here.

const TICK_MS = 1000;
const NEW_MS = 1200;
const ENDED = new Set(['restarting', 'autorestarting', 'terminating', 'dead']);
const PIECE = 4 * 1024 * 1024;

// What is the same thing before and after, wherever it stands
function keyOf(node) {
  const { key, panel } = node.dataset ?? {};
  // a panel may draw several sections
  return key ?? (panel && `${panel} ${node.getAttribute('aria-label')}`);
}

function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to.cloneNode(true));
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && name !== 'data-new') from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  if (from.dataset?.since) return; // it ticks here
  morphChildren(from, to);
}

function morphChildren(from, to) {
  const fresh = [...to.childNodes];
  const keys = new Set(fresh.map(keyOf).filter(Boolean));
  const known = new Map();
  for (const node of [...from.childNodes]) {
    const key = keyOf(node);
    if (!key) continue;
    if (keys.has(key)) known.set(key, node);
    else node.remove(); // what is left stays in line with what comes
  }
  fresh.forEach((node, place) => {
    const there = from.childNodes[place];
    const key = keyOf(node);
    const same = known.get(key);
    if (same) {
      if (same !== there) from.insertBefore(same, there ?? null);
      morph(same, node);
    } else if (!there) {
      from.append(node.cloneNode(true));
    } else if (key || keyOf(there)) {
      from.insertBefore(node.cloneNode(true), there);
    } else {
      morph(there, node);
    }
  });
  while (from.childNodes.length > fresh.length) from.lastChild.remove();
}

// The order of a leaderboard is the reader's: by the column that they chose, and still while they are at it.
// `chosen` has columns by board; `held` is whether rows keep their place.
function arrange(table, shown, choice, held) {
  const body = table.tBodies[0];
  const rows = [...body.querySelectorAll('tr[data-scored]')];
  const button = choice && table.querySelector(`[data-sort="${CSS.escape(choice.column)}"]`);
  let ordered = rows;
  if (button) {
    table.querySelector('th[aria-sort]')?.removeAttribute('aria-sort');
    const head = button.closest('th');
    head.setAttribute('aria-sort', choice.isUp ? 'ascending' : 'descending');
    const sign = choice.isUp ? 1 : -1;
    const value = row => Number(row.cells[head.cellIndex]?.dataset.value ?? NaN);
    ordered = [...rows].sort((one, other) => {
      const [x, y] = [value(one), value(other)];
      // what is missing comes last either way
      return isNaN(x) || isNaN(y) ? Number(isNaN(x)) - Number(isNaN(y)) : sign * (x - y);
    });
  }
  if (shown && held) {
    const places = new Map();
    shown.querySelectorAll('tr[data-scored]').forEach((row, place) => places.set(row.dataset.key, place));
    const place = row => places.get(row.dataset.key) ?? places.size;
    ordered = [...ordered].sort((one, other) => place(one) - place(other));
  }
  body.prepend(...ordered);
}

function light(table, known) {
  for (const row of table.querySelectorAll('tr[data-scored]')) {
    if (known.has(row.dataset.key) || row.hasAttribute('data-new')) continue;
    row.setAttribute('data-new', '');
    setTimeout(() => row.removeAttribute('data-new'), NEW_MS);
  }
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = number => String(number).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

function tick(root) {
  for (const node of root.querySelectorAll('[data-since]')) {
    const text = clock((Date.now() - Date.parse(node.dataset.since)) / 1000);
    if (node.textContent !== text) node.textContent = text;
  }
}

function fieldsAround(node) {
  const form = node.closest('form, section');
  const found = {};
  for (const input of form?.querySelectorAll('[name]') ?? []) {
    found[input.name] = input.type === 'checkbox' ? input.checked : input.value;
  }
  return found;
}

// The address of the page's own server, where the kernel calls the same one
function ownApi(model) {
  if (!model.get('is_own')) return null;
  const config = document.getElementById('jupyter-config-data');
  try {
    return `${JSON.parse(config.textContent).baseUrl}pycaret/api/v1`;
  } catch {
    return null;
  }
}

function secured() {
  const cookie = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/);
  const headers = cookie ? { 'X-XSRFToken': decodeURIComponent(cookie[1]) } : {};
  const token = new URLSearchParams(location.search).get('token');
  const config = document.getElementById('jupyter-config-data');
  const known = token || (config && JSON.parse(config.textContent).token);
  return known ? { ...headers, Authorization: `token ${known}` } : headers;
}

// From here it reaches the server while the kernel is busy with a long cell
function post(api, path) {
  fetch(`${api}/${path}`, { method: 'POST', headers: secured() }).catch(() => {});
}

async function copy(button, text) {
  const said = button.querySelector('[data-word]') ?? button;
  const word = said.textContent;
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = 'Copied';
  } catch {
    said.textContent = 'Not allowed';
  }
  setTimeout(() => (said.textContent = word), 1500);
}

// Straight to the server where that is the page's own: a large file does not fit through a kernel's line
function upload(model, tell, file) {
  const api = ownApi(model);
  const path = model.get('upload_path');
  if (!api || !path) return pieces(tell, file);
  const body = new FormData();
  body.append('name', file.name.replace(/\.[^.]*$/, '') || file.name);
  body.append('file', file);
  const request = new XMLHttpRequest();
  request.open('POST', `${api}${path}`);
  for (const [name, value] of Object.entries(secured())) request.setRequestHeader(name, value);
  let told = 0;
  request.upload.onprogress = event => {
    if (Date.now() - told < 100) return;
    told = Date.now();
    tell('progress', { name: file.name, done: event.loaded, total: event.total });
  };
  const failed = message => tell('refused', { name: file.name, message });
  request.onerror = () => failed('The server could not be reached.');
  request.onload = () => {
    let answer = {};
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      // said below
    }
    if (request.status === 201) tell('uploaded', { id: answer.id });
    else failed(answer.message ?? `The server answered ${request.status}.`);
  };
  tell('progress', { name: file.name, done: 0, total: file.size });
  request.send(body);
}

async function pieces(tell, file) {
  for (let start = 0; start === 0 || start < file.size; start += PIECE) {
    const bytes = await file.slice(start, start + PIECE).arrayBuffer();
    tell('piece', { name: file.name, start, total: file.size }, [new DataView(bytes)]);
  }
}

function render({ model, el }) {
  const root = document.createElement('div');
  root.className = 'jp-pycaret-live';
  el.append(root);
  const chosen = new Map(); // board → column
  let secret = null; // a key that was just made: it is here and nowhere else

  const boardOf = node => node.closest?.('table[data-board]');
  const pointed = new Set(); // boards under the pointer
  const isUsed = table =>
    pointed.has(table.dataset.board) || table.contains(document.activeElement);
  const draw = ({ sorted } = {}) => {
    const next = document.createElement('div');
    next.innerHTML = model.get('html');
    const boards = [];
    for (const table of next.querySelectorAll('table[data-board]')) {
      const name = table.dataset.board;
      const shown = root.querySelector(`table[data-board="${name}"]`);
      const isHeld = shown && isUsed(shown) && table.hasAttribute('data-filling') && name !== sorted;
      arrange(table, shown, chosen.get(name), isHeld);
      if (shown) boards.push([name, new Set([...shown.querySelectorAll('[data-scored]')].map(keyOf))]);
    }
    morphChildren(root, next);
    for (const [name, known] of boards) {
      light(root.querySelector(`table[data-board="${name}"]`), known);
    }
    const place = root.querySelector('[data-secret]:not(button)');
    if (place) place.textContent = secret ?? '';
    else secret = null;
    tick(root);
  };
  const from = node => node.closest('[data-panel]')?.dataset.panel;
  const say = (node, what) => model.send({ do: what, fields: fieldsAround(node), panel: from(node) });
  const take = (node, files) => {
    const panel = from(node);
    const tell = (what, fields, buffers) => model.send({ do: what, fields, panel }, undefined, buffers);
    for (const file of files) upload(model, tell, file);
  };

  root.addEventListener('click', event => {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.sort !== undefined) {
      const name = boardOf(button).dataset.board;
      const now = button.closest('th').getAttribute('aria-sort');
      const isUp = now ? now === 'descending' : button.dataset.first === 'ascending';
      chosen.set(name, { column: button.dataset.sort, isUp });
      draw({ sorted: name });
    }
    if (button.dataset.copy !== undefined) copy(button, button.dataset.copy);
    if (button.dataset.secret !== undefined && secret) copy(button, secret);
    if (button.dataset.pick !== undefined) root.querySelector('input[type=file]')?.click();
    if (button.dataset.post && ownApi(model)) post(ownApi(model), button.dataset.post);
    if (button.dataset.do) {
      event.preventDefault();
      if (button.dataset.once !== undefined) {
        button.disabled = true;
        button.textContent = button.dataset.once;
      }
      say(button, button.dataset.do);
    }
  });
  // Rows that were held take their places when nobody is at them any more
  const left = event => {
    const table = boardOf(event.target);
    if (!table || table.contains(event.relatedTarget)) return;
    if (event.type === 'pointerout') pointed.delete(table.dataset.board);
    draw();
  };
  root.addEventListener('pointerover', event => {
    const table = boardOf(event.target);
    if (table) pointed.add(table.dataset.board);
  });
  root.addEventListener('pointerout', left);
  root.addEventListener('focusout', left);
  root.addEventListener('submit', event => {
    event.preventDefault();
    if (event.target.dataset.do) say(event.target, event.target.dataset.do);
  });
  root.addEventListener('change', event => {
    if (event.target.type === 'file') {
      take(event.target, event.target.files);
      event.target.value = '';
    } else if (event.target.dataset.do) {
      say(event.target, event.target.dataset.do);
    }
  });
  root.addEventListener('dragover', event => {
    if (event.target.closest('[data-drop]')) event.preventDefault();
  });
  root.addEventListener('drop', event => {
    if (!event.target.closest('[data-drop]')) return;
    event.preventDefault();
    event.stopPropagation();
    take(event.target, event.dataTransfer.files);
  });
  // JupyterLab has shortcuts on letters, and Enter on a cell edits it; what is typed or pressed here is ours
  for (const kind of ['keydown', 'keypress', 'keyup']) {
    root.addEventListener(kind, event => {
      const isPress = event.target.matches('button') && (event.key === 'Enter' || event.key === ' ');
      if (isPress || event.target.matches('input, select, textarea')) event.stopPropagation();
    });
  }

  // With its kernel go the buttons; what it showed last stays, and says so
  const kernel = model.widget_manager?.kernel;
  const changed = (_, status) => {
    if (ENDED.has(status)) root.setAttribute('data-gone', '');
  };
  const heard = message => {
    if (message.secret) {
      secret = message.secret;
      draw();
    }
  };
  kernel?.statusChanged?.connect(changed);
  const timer = setInterval(() => {
    if (!root.hasAttribute('data-gone')) tick(root);
  }, TICK_MS);
  const redraw = () => draw();
  model.on('change:html', redraw);
  model.on('msg:custom', heard);
  draw();
  return () => {
    clearInterval(timer);
    kernel?.statusChanged?.disconnect(changed);
    model.off('change:html', redraw);
    model.off('msg:custom', heard);
  };
}

export default { render };
