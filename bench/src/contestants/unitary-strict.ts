/** Unitary as it is: every row is checked. */
import { serve } from '../contest/serve.js'
import { contestant } from './unitary.js'

serve(contestant({}))
