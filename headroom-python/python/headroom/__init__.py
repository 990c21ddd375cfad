"""Makes the prompts in LLM requests smaller. The model answers the same.

```python
from headroom import compress

messages = [...]  # of OpenAI, Anthropic, Gemini or Bedrock, with tool results
result = compress(messages, model="gpt-4o")
print(result.tokens_saved)
send(result.messages)
```
"""

from ._clients import headroom_http_options as headroom_http_options
from ._clients import with_headroom as with_headroom
from ._context import ContextEntry as ContextEntry
from ._context import SharedContext as SharedContext
from ._context import SharedContextStats as SharedContextStats
from ._engine import ApiName as ApiName
from ._engine import Engine as Engine
from ._engine import Retrieval as Retrieval
from ._engine import RetrievalName as RetrievalName
from ._engine import Tier as Tier
from ._engine import TierName as TierName
from ._engine import acompress as acompress
from ._engine import acompress_request as acompress_request
from ._engine import compress as compress
from ._engine import compress_request as compress_request
from ._engine import compress_text as compress_text
from ._engine import default_engine as default_engine
from ._engine import headroom_retrieve as headroom_retrieve
from ._engine import retrieve as retrieve
from ._engine import retrieve_tool as retrieve_tool
from ._errors import ConfigurationError as ConfigurationError
from ._errors import HeadroomError as HeadroomError
from ._errors import StoreError as StoreError
from ._native import BlockReport as BlockReport
from ._native import CompressResult as CompressResult
from ._native import FolderStore as FolderStore
from ._native import MemoryStore as MemoryStore
from ._native import RedisStore as RedisStore
from ._native import Report as Report
from ._native import RequestResult as RequestResult
from ._native import Store as Store
from ._native import TextResult as TextResult
from ._native import __version__ as __version__
