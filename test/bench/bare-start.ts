/** Yardstick for the start: an Express application and an open database, nothing else. */

import express from 'express'
import { Sqlite } from '../../connector/store/sqlite/driver.js'

const db = new Sqlite(process.argv[2] ?? ':memory:')
db.pragma('journal_mode = WAL')
db.exec('CREATE TABLE IF NOT EXISTS thing (id INTEGER PRIMARY KEY) STRICT')
const app = express()
app.get('/', (_req, res) => void res.json({ things: db.prepare('SELECT count(*) FROM thing').pluck().get() }))
app.listen(0, '127.0.0.1', () => void process.stdout.write('ready\n'))
