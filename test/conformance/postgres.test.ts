import { postgres } from './databases/postgres.js'
import { describeOn } from './suite.js'

describeOn(postgres)
