/**
 * The SQLite driver that fits the running Node. Version 13 needs the Node-API of Node 22.14 and later; version 12, for
 * Node 20, aborts under the headers of Node 24.19 and later when a statement is garbage-collected (nodejs/node#65446).
 */
import { createRequire } from 'node:module'
import type Database from 'better-sqlite3'

const FIRST_WITH_13 = 24

const load = createRequire(import.meta.url)
const major = Number(process.versions.node.split('.')[0])

export const Sqlite: typeof Database = load(major >= FIRST_WITH_13 ? 'better-sqlite3-13' : 'better-sqlite3')
