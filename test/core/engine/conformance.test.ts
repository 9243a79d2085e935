import { kyselySqliteHost, mysqlHost, postgresHost, sqliteHost } from './databases.js'
import { engineConformance } from './engine-conformance.js'

engineConformance(sqliteHost('SQLite'))
engineConformance(sqliteHost('SQLite, row by row', { rowByRow: true, begin: 'immediate' }))
engineConformance(kyselySqliteHost)
engineConformance(postgresHost)
engineConformance(mysqlHost)
