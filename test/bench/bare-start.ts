/** Yardstick for the start: an Express application and an open database, nothing else. */
import Database from 'better-sqlite3'
import express from 'express'

const db = new Database(process.argv[2] ?? ':memory:')
db.pragma('journal_mode = WAL')
db.exec('CREATE TABLE IF NOT EXISTS thing (id INTEGER PRIMARY KEY) STRICT')
const app = express()
app.get('/', (_req, res) => void res.json({ things: db.prepare('SELECT count(*) FROM thing').pluck().get() }))
app.listen(0, '127.0.0.1', () => void process.stdout.write('ready\n'))
