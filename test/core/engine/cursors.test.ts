import { cursorConformance } from './cursor-conformance.js'
import { kyselySqliteHost, mysqlHost, postgresHost, sqliteHost } from './databases.js'

cursorConformance(sqliteHost('SQLite'))
cursorConformance(kyselySqliteHost)
cursorConformance(postgresHost)
cursorConformance(mysqlHost)
