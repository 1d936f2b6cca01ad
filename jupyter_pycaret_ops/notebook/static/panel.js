// The browser's side of a panel. Python draws; this keeps what is seen in step with it, without losing focus
// or what was typed, and says what was pressed. Messages are `{do, fields}`; nothing else is known here.

const TICK_MS = 1000;
const ENDED = new Set(['restarting', 'autorestarting', 'terminating', 'dead']);
const PIECE = 4 * 1024 * 1024;

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
    if (!to.hasAttribute(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  if (from.dataset?.since) return; // it ticks here
  morphChildren(from, to);
}

function morphChildren(from, to) {
  const old = [...from.childNodes];
  const fresh = [...to.childNodes];
  fresh.forEach((node, place) => {
    if (place < old.length) morph(old[place], node);
    else from.append(node.cloneNode(true));
  });
  old.slice(fresh.length).forEach(node => node.remove());
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

async function copy(button) {
  const said = button.querySelector('[data-word]') ?? button;
  const word = said.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    said.textContent = 'Copied';
  } catch {
    said.textContent = 'Not allowed';
  }
  setTimeout(() => (said.textContent = word), 1500);
}

// Straight to the server where that is the page's own: a large file does not fit through a kernel's line
function upload(model, file) {
  const api = ownApi(model);
  const path = model.get('upload_path');
  if (!api || !path) return pieces(model, file);
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
    model.send({ do: 'progress', fields: { name: file.name, done: event.loaded, total: event.total } });
  };
  const failed = message => model.send({ do: 'refused', fields: { name: file.name, message } });
  request.onerror = () => failed('The server could not be reached.');
  request.onload = () => {
    let answer = {};
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      // said below
    }
    if (request.status === 201) model.send({ do: 'uploaded', fields: { id: answer.id } });
    else failed(answer.message ?? `The server answered ${request.status}.`);
  };
  model.send({ do: 'progress', fields: { name: file.name, done: 0, total: file.size } });
  request.send(body);
}

async function pieces(model, file) {
  for (let start = 0; start === 0 || start < file.size; start += PIECE) {
    const bytes = await file.slice(start, start + PIECE).arrayBuffer();
    const fields = { name: file.name, start, total: file.size };
    model.send({ do: 'piece', fields }, undefined, [new DataView(bytes)]);
  }
}

function render({ model, el }) {
  const root = document.createElement('div');
  root.className = 'jp-pycaret-live';
  el.append(root);

  const draw = () => {
    const next = document.createElement('div');
    next.innerHTML = model.get('html');
    morphChildren(root, next);
    tick(root);
  };
  const say = (node, what) => model.send({ do: what, fields: fieldsAround(node) });

  root.addEventListener('click', event => {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.copy !== undefined) copy(button);
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
  root.addEventListener('submit', event => {
    event.preventDefault();
    if (event.target.dataset.do) say(event.target, event.target.dataset.do);
  });
  root.addEventListener('change', event => {
    if (event.target.type === 'file') {
      for (const file of event.target.files) upload(model, file);
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
    for (const file of event.dataTransfer.files) upload(model, file);
  });
  // JupyterLab has shortcuts on letters; what is typed here is ours
  for (const kind of ['keydown', 'keypress', 'keyup']) {
    root.addEventListener(kind, event => {
      if (event.target.matches('input, select, textarea')) event.stopPropagation();
    });
  }

  // With its kernel go the buttons; what it showed last stays
  const kernel = model.widget_manager?.kernel;
  const changed = (_, status) => {
    if (ENDED.has(status)) root.setAttribute('data-gone', '');
  };
  kernel?.statusChanged?.connect(changed);
  const timer = setInterval(() => {
    if (!root.hasAttribute('data-gone')) tick(root);
  }, TICK_MS);
  model.on('change:html', draw);
  draw();
  return () => {
    clearInterval(timer);
    kernel?.statusChanged?.disconnect(changed);
    model.off('change:html', draw);
  };
}

export default { render };
