// The console works without this, by links and forms. It adds: a socket that says what changed, the parts of
// the page fetched anew, typing and presence, and sending without leaving the page.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const root = byId("console");
  if (!root) return;

  const FIRST_WAIT = 500, LONGEST_WAIT = 15000, TYPING_MS = 2500, STOPPED_MS = 5000, GATHER_MS = 150;
  const live = byId("live");
  const head = () => document.querySelector(".console-head");
  const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value
    || (/(?:^|; )csrftoken=([^;]+)/.exec(document.cookie) || [])[1];
  let socket = null, wait = FIRST_WAIT, heartbeat = 0, seq = 0;

  const say = (frame) => {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  };
  const mark = (on) => {
    live.className = `console-live ${on ? "is-on" : "is-off"}`;
    live.textContent = on ? live.dataset.live : live.dataset.off;
  };

  // ---------------------------------------------------------------- parts of the page
  const fetchPart = async (part) => {
    const answer = await fetch(`?${new URLSearchParams([...new URLSearchParams(root.dataset.here), ["part", part]])}`, {
      headers: { "X-Requested-With": "fetch" },
    });
    if (!answer.ok || answer.redirected) return null;
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    return holder.content;
  };

  const refreshQueue = async () => {
    const found = await fetchPart("queue");
    if (!found) return;
    const queue = byId("queue");
    const focused = queue.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const top = queue.querySelector(".console-lines")?.scrollTop || 0;
    queue.replaceChildren(found);
    queue.querySelector(".console-lines").scrollTop = top;
    if (focused) [...queue.querySelectorAll("a")].find((one) => one.getAttribute("href") === focused)?.focus();
  };

  // Of the thread only the head and the log are put anew: what is being written stays.
  const refreshThread = async () => {
    if (!head()) return;
    const found = await fetchPart("thread");
    if (!found) return;
    const open = document.querySelector(".console-more")?.open;
    const log = byId("log");
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    const typing = byId("end").textContent;
    if (!open && !head().contains(document.activeElement)) head().replaceWith(found.querySelector(".console-head"));
    else head().dataset.seq = found.querySelector(".console-head").dataset.seq;
    log.replaceChildren(...found.querySelector("#log").childNodes);
    byId("end").textContent = typing;
    if (atEnd) log.scrollTop = log.scrollHeight;
    seq = Math.max(seq, Number(head().dataset.seq));
  };

  const gathered = (work) => {
    let timer = 0, running = false, again = false;
    const run = async () => {
      timer = 0;
      if (running) { again = true; return; }
      running = true;
      try { await work(); } catch { /* the next change, or a reload, shows it */ }
      running = false;
      if (again) { again = false; soon(); }
    };
    const soon = () => { if (!timer) timer = setTimeout(run, GATHER_MS); };
    return soon;
  };
  const queueSoon = gathered(refreshQueue), threadSoon = gathered(refreshThread);

  const fillCard = async () => {
    const card = byId("card");
    if (!card.dataset.card) return;
    const answer = await fetch(card.dataset.card, { headers: { "X-Requested-With": "fetch" } });
    if (answer.ok && !answer.redirected) card.innerHTML = await answer.text();
  };

  // ---------------------------------------------------------------- the socket
  const heard = {
    welcome: (frame) => {
      wait = FIRST_WAIT;
      clearInterval(heartbeat);
      heartbeat = setInterval(() => say({ type: "ping", active: document.hasFocus() }), frame.heartbeat * 800);
      const resume = head() ? { [head().dataset.conversation]: seq } : {};
      say({ type: "hello", resume });
      say({ type: "ping", active: document.hasFocus() });
      if (head()) say({ type: "presence.watch", members: [head().dataset.owner] });
    },
    ready: () => { mark(true); queueSoon(); threadSoon(); },
    "desk.changed": (frame) => {
      queueSoon();
      if (head() && frame.conversation === head().dataset.conversation) threadSoon();
    },
    receipt: (frame) => {
      if (head() && frame.conversation === head().dataset.conversation && frame.user !== head().dataset.me) threadSoon();
    },
    typing: (frame) => {
      if (!head() || frame.conversation !== head().dataset.conversation || frame.user === head().dataset.me) return;
      const end = byId("end");
      end.textContent = frame.active ? `${frame.name} ${end.dataset.text}` : "";
      clearTimeout(heard.timer);
      heard.timer = setTimeout(() => { byId("end").textContent = ""; }, STOPPED_MS);
    },
    presence: (frame) => {
      const there = byId("presence");
      if (!there || frame.user !== head().dataset.owner) return;
      there.className = `console-presence s-${frame.state}`;
      there.textContent = there.dataset[frame.state];
      queueSoon();
    },
    resync_required: () => threadSoon(),
  };
  for (const kind of ["message.new", "message.updated", "message.deleted"]) {
    heard[kind] = (frame) => {
      if (head() && frame.conversation === head().dataset.conversation) {
        seq = Math.max(seq, frame.seq);
        byId("end").textContent = "";
        threadSoon();
      }
      queueSoon();
    };
  }

  const connect = async () => {
    try {
      const answer = await fetch(root.dataset.ticket, { method: "POST", headers: { "X-CSRFToken": csrf() } });
      if (!answer.ok || answer.redirected) throw new Error("no ticket");
      const { ticket } = await answer.json();
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      socket = new WebSocket(`${scheme}://${location.host}/ws/v1?ticket=${encodeURIComponent(ticket)}`);
    } catch {
      again();
      return;
    }
    socket.addEventListener("message", (event) => {
      const frame = JSON.parse(event.data);
      if (Object.hasOwn(heard, frame.type)) heard[frame.type](frame);
    });
    socket.addEventListener("close", again);
  };
  const again = () => {
    mark(false);
    clearInterval(heartbeat);
    setTimeout(connect, wait * (0.5 + Math.random() / 2));
    wait = Math.min(LONGEST_WAIT, wait * 2);
  };
  window.addEventListener("pagehide", () => { if (socket) { socket.removeEventListener("close", again); socket.close(); } });

  // ---------------------------------------------------------------- answering
  const newId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };

  const answer = byId("answer");
  if (answer) {
    const body = byId("id_body"), refused = byId("refused");
    let typedAt = 0, sending = false;
    const stop = () => { if (typedAt) say({ type: "typing", conversation: head().dataset.conversation, active: false }); typedAt = 0; };
    body.addEventListener("input", () => {
      if (Date.now() - typedAt < TYPING_MS) return;
      typedAt = Date.now();
      say({ type: "typing", conversation: head().dataset.conversation });
    });
    body.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        answer.requestSubmit(answer.querySelector("[name=do]"));
      }
    });
    answer.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (sending || !body.value.trim()) return;
      sending = true;
      refused.textContent = "";
      const form = new FormData(answer);
      form.set("do", "send");
      try {
        // The same client_id until it is known to stand: pressed twice it is said once.
        const reply = await fetch(location.href, { method: "POST", body: form, headers: { Accept: "application/json" } });
        const said = await reply.json();
        if (reply.ok) {
          body.value = "";
          answer.elements.client_id.value = newId();
          stop();
          await refreshThread();
          byId("log").scrollTop = byId("log").scrollHeight;
          queueSoon();
        } else refused.textContent = said.errors.join(" ");
      } catch {
        refused.textContent = live.dataset.off;
      }
      sending = false;
      body.focus();
    });
    byId("canned")?.addEventListener("change", (event) => {
      if (!event.target.value) return;
      body.setRangeText(event.target.value, body.selectionStart, body.selectionEnd, "end");
      event.target.value = "";
      body.focus();
    });
    if (!location.hash || location.hash === "#end") body.focus();
    byId("log").scrollTop = byId("log").scrollHeight;
    seq = Number(head().dataset.seq);
  }

  // Up and down go through the queue.
  byId("queue").addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const links = [...byId("queue").querySelectorAll(".console-lines a")];
    const at = links.indexOf(document.activeElement);
    const next = links[event.key === "ArrowDown" ? at + 1 : at - 1];
    if (next) { event.preventDefault(); next.focus(); }
  });

  connect();
  fillCard();
})();
