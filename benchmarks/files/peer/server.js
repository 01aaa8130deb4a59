"use strict";
// A member's document in Express: the same check, the same row in the access log, the bytes by sendFile
// or, with ACCEL=1, by nginx.

const crypto = require("node:crypto");
const express = require("express");
const jwt = require("jsonwebtoken");
const { Pool } = require("pg");

const key = crypto.createSecretKey(Buffer.from(process.env.JWT_KEY));
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const KEPT_MS = 60_000;
const known = new Map();

const WHO = {
  name: "who",
  text: `SELECT s.user_id, m.id AS member_id FROM accounts_session s
         JOIN accounts_user u ON u.id = s.user_id JOIN accounts_member m ON m.user_id = u.id
         WHERE s.public_id = $1 AND s.ended_at IS NULL AND u.is_active AND u.token_version = $2`,
};
const FIND = {
  name: "find",
  text: `SELECT d.id, a.key, a.size, a.sha256, p.account_no, d.period FROM documents_document d
         JOIN documents_asset a ON a.id = d.asset_id JOIN accounts_membership p ON p.id = d.membership_id
         WHERE d.public_id = $1 AND d.state = 'published' AND d.membership_id =
           (SELECT membership_id FROM accounts_member
            WHERE id = $2 AND (relation = 'principal' OR can_view_statements))`,
};
const NOTE = {
  name: "note",
  text: `INSERT INTO documents_documentaccess (document_id, user_id, is_staff, kind, at)
         VALUES ($1, $2, false, 'download', now())`,
};

async function identify(header) {
  const token = (header || "").slice("Bearer ".length);
  const found = known.get(token);
  if (found && found.until > Date.now()) return found.who;
  const claims = jwt.verify(token, key, { algorithms: ["HS256"] });
  const { rows } = await pool.query({ ...WHO, values: [claims.sid, claims.tv] });
  if (!rows.length) throw new Error("ended");
  known.set(token, { who: rows[0], until: Date.now() + KEPT_MS });
  return rows[0];
}

const app = express();
app.disable("x-powered-by");
app.get("/health/live", (_request, response) => response.send("ok"));
app.get("/api/v1/documents/:id/content", async (request, response) => {
  let who;
  try {
    who = await identify(request.headers.authorization);
  } catch {
    return response.status(401).end();
  }
  const { rows } = await pool.query({ ...FIND, values: [request.params.id, who.member_id] });
  if (!rows.length) return response.status(404).end();
  const [file] = rows;
  if (process.env.NOTE !== "0") await pool.query({ ...NOTE, values: [file.id, who.user_id] });
  response.set({
    ETag: `"${file.sha256.slice(0, 32)}"`,
    "Cache-Control": "private, no-store",
    "Content-Type": "application/pdf",
    "Content-Disposition": `attachment; filename="SOA_${file.period}_${file.account_no}.pdf"`,
    "X-Content-Type-Options": "nosniff",
  });
  if (process.env.ACCEL === "1") return response.set("X-Accel-Redirect", `/_files/${file.key}`).end();
  return response.sendFile(file.key, {
    root: process.env.FILES_ROOT, cacheControl: false, etag: false, lastModified: false,
  });
});
app.listen(Number(process.env.PORT), "127.0.0.1");
