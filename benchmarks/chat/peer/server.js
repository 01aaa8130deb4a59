// A chat room on Socket.IO with its Redis adapter, as a club would build it: a token at the handshake, one row a
// message with a number of its own before the acknowledgement, the same fields in what is sent.
"use strict";

const http = require("node:http");
const { createSecretKey, randomUUID } = require("node:crypto");
const jwt = require("jsonwebtoken");
const { Pool } = require("pg");
const { createClient } = require("redis");
const { Server } = require("socket.io");
const { createAdapter } = require("@socket.io/redis-adapter");

const port = Number(process.env.PORT);
const key = createSecretKey(Buffer.from(process.env.KEY));
const persists = process.env.PERSIST === "1";

const main = async () => {
  const server = http.createServer((request, response) => response.end("ok"));
  const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
  const publisher = createClient({ url: process.env.REDIS_URL });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createAdapter(publisher, subscriber));
  const pool = persists ? new Pool({ connectionString: process.env.DATABASE_URL, max: 10 }) : null;
  let counter = 0;

  // In one round trip: the number under the row's lock, and the row; a client id that was used says so.
  const INSERT = `WITH n AS (UPDATE rooms SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq)
    INSERT INTO messages (room, seq, sender, client_id, body, created_at)
    SELECT $1, last_seq, $2, $3, $4, now() FROM n
    ON CONFLICT (sender, client_id) DO NOTHING RETURNING id, seq, created_at`;

  io.use((socket, next) => {
    try {
      socket.data.user = jwt.verify(socket.handshake.auth.token, key, { algorithms: ["HS256"] });
      next();
    } catch (error) {
      next(error);
    }
  });
  io.on("connection", (socket) => {
    socket.join(socket.data.user.room);
    socket.on("message.send", async (sent, ack) => {
      const room = socket.data.user.room;
      let row = { id: randomUUID(), seq: ++counter, created_at: new Date() };
      if (persists) {
        const found = await pool.query({ name: "say", text: INSERT, values: [room, socket.data.user.sub, sent.client_id, sent.body] });
        if (!found.rows.length) return ack({ client_id: sent.client_id, again: true });
        [row] = found.rows;
      }
      io.to(room).emit("message.new", {
        conversation: room,
        seq: Number(row.seq),
        message: {
          id: row.id, seq: Number(row.seq), type: "text",
          sender: { id: socket.data.user.sub, name: socket.data.user.name, is_staff: false },
          client_id: sent.client_id, body: sent.body, reply_to: null, attachments: [],
          created_at: row.created_at, edited_at: null, deleted_at: null,
        },
      });
      ack({ client_id: sent.client_id, id: row.id, seq: Number(row.seq), held: false });
    });
  });
  server.listen(port, "127.0.0.1");
};
main().catch((error) => { console.error(error); process.exit(1); });
