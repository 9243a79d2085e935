import { mariadb } from './databases/mariadb.js'
import { describeOn } from './suite.js'

describeOn(mariadb)
