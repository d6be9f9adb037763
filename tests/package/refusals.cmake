# SPDX-License-Identifier: BSL-1.0
# What codynamo does not support is refused by its first header, with the reason.
file(MAKE_DIRECTORY ${WORK})
file(WRITE ${WORK}/user.cpp "#include <codynamo/cache.hpp>\n")
separate_arguments(boost UNIX_COMMAND "${BOOST}")
list(TRANSFORM boost PREPEND "-I")

# compile(FLAGS EXPECTED): EXPECTED is part of the error, or empty when it has to compile.
function(compile flags expected)
    execute_process(COMMAND ${COMPILER} ${flags} -fsyntax-only -I${SOURCE}/include ${boost}
                            ${WORK}/user.cpp
                    RESULT_VARIABLE status ERROR_VARIABLE words)
    if(expected STREQUAL "" AND NOT status EQUAL 0)
        message(FATAL_ERROR "${flags} does not compile: ${words}")
    elseif(NOT expected STREQUAL "" AND (status EQUAL 0 OR NOT words MATCHES "${expected}"))
        message(FATAL_ERROR "${flags}: expected \"${expected}\", got ${status}: ${words}")
    endif()
endfunction()

compile("-std=c++20" "")
compile("-std=c++20;-fno-rtti" "codynamo needs run-time type information")
compile("-std=c++20;-fno-exceptions" "codynamo needs exceptions")
compile("-std=c++17" "codynamo needs C\\+\\+20")
# As with -stdlib=libc++, whose headers may not be on this machine.
compile("-std=c++20;-D_LIBCPP_VERSION=190000" "codynamo does not support libc\\+\\+")

# A program that sees other types than the library does is refused by the linker.
file(WRITE ${WORK}/program.cpp "#include <codynamo/cache.hpp>\nint main() {}\n")

# link(FLAGS EXPECTED): EXPECTED is part of the linker's error, or empty when it has to link.
function(link flags expected)
    execute_process(COMMAND ${COMPILER} -std=c++20 ${flags} -I${SOURCE}/include ${boost}
                            ${WORK}/program.cpp ${LIBRARY} -o ${WORK}/program
                    RESULT_VARIABLE status ERROR_VARIABLE words)
    if(expected STREQUAL "" AND NOT status EQUAL 0)
        message(FATAL_ERROR "\"${flags}\" does not link: ${words}")
    elseif(NOT expected STREQUAL "" AND
           (status EQUAL 0 OR NOT words MATCHES "codynamo_library_compiled_with_[a-zA-Z0-9_]*${expected}"))
        message(FATAL_ERROR "${flags}: expected \"${expected}\", got ${status}: ${words}")
    endif()
endfunction()

link("" "")
link("-Wl,--gc-sections" "")
# These have no effect on what is shared.
link("-D_GLIBCXX_ASSERTIONS;-DNDEBUG;-O2;-std=c++23" "")
link("-D_GLIBCXX_DEBUG" "_and_GLIBCXX_DEBUG")
link("-DBOOST_ASIO_DISABLE_STD_ATOMIC" "_and_BOOST_ASIO_DISABLE_STD_ATOMIC")
link("-DBOOST_ASIO_DISABLE_STD_ATOMIC;-ffunction-sections;-fdata-sections;-Wl,--gc-sections"
     "_and_BOOST_ASIO_DISABLE_STD_ATOMIC")
link("-DBOOST_ASIO_ENABLE_HANDLER_TRACKING" "_and_BOOST_ASIO_ENABLE_HANDLER_TRACKING")
link("-DBOOST_ASIO_NO_DEPRECATED" "_and_BOOST_ASIO_NO_DEPRECATED")
link("-DBOOST_ASIO_DISABLE_EPOLL" "_and_BOOST_ASIO_DISABLE_EPOLL")
link("-DBOOST_ASIO_DISABLE_EPOLL;-DBOOST_ASIO_NO_TS_EXECUTORS"
     "_and_BOOST_ASIO_DISABLE_EPOLL_and_BOOST_ASIO_NO_TS_EXECUTORS")
# As with another Boost.
file(MAKE_DIRECTORY ${WORK}/other/boost)
file(WRITE ${WORK}/other/boost/version.hpp
     "#define BOOST_VERSION 108600\n#define BOOST_LIB_VERSION \"1_86\"\n")
link("-I${WORK}/other" "Boost_108600")
# One file of several is enough.
file(WRITE ${WORK}/matching.cpp "#include <codynamo/cache.hpp>\n")
execute_process(COMMAND ${COMPILER} -std=c++20 -c -I${SOURCE}/include ${boost}
                        ${WORK}/matching.cpp -o ${WORK}/matching.o COMMAND_ERROR_IS_FATAL ANY)
link("${WORK}/matching.o;-D_GLIBCXX_DEBUG" "_and_GLIBCXX_DEBUG")

# refuse(TYPE EXPECTED): a cache of TYPE does not compile, and the compiler says EXPECTED.
function(refuse type expected)
    file(WRITE ${WORK}/user.cpp "
#include <codynamo/json_serializer.hpp>
#include <forward_list>
#include <map>
#include <memory>
#include <vector>
enum class colour { red };
BOOST_DESCRIBE_ENUM(colour, red)
struct viewer { std::string_view text; };
BOOST_DESCRIBE_STRUCT(viewer, (), (text))
struct base { int a = 0; };
struct derived : base { int b = 0; };
BOOST_DESCRIBE_STRUCT(derived, (base), (b))
class secretive { int a = 0; BOOST_DESCRIBE_CLASS(secretive, (), (), (), (a)) };
struct twice : viewer { std::string text; };
BOOST_DESCRIBE_STRUCT(twice, (viewer), (text))
struct constant { const int a = 0; };
BOOST_DESCRIBE_STRUCT(constant, (), (a))
struct labelled : std::vector<int> { std::string label; };
BOOST_DESCRIBE_STRUCT(labelled, (), (label))
struct written { int a = 0; };
BOOST_DESCRIBE_STRUCT(written, (), (a))
inline void tag_invoke(boost::json::value_from_tag, boost::json::value& out, const written& w) {
    out = w.a;
}
template class codynamo::json_serializer<${type}>;
")
    compile("-std=c++20" "json_serializer.*${expected}")
endfunction()

refuse("std::string_view" "cannot hold a view or a pointer")
refuse("std::vector<std::string_view>" "cannot hold a view or a pointer")
refuse("std::map<int, viewer>" "cannot hold a view or a pointer")
refuse("std::vector<int[3]>" "cannot hold a C array")
refuse("std::vector<long double>" "cannot hold a number that is wider")
refuse("std::unique_ptr<int>" "does not know this type: describe it")
refuse("std::vector<derived>" "is described, but one of its bases is not")
refuse("written" "has a tag_invoke overload for only one of")
refuse("std::forward_list<int>" "a container needs a default constructor and push_back")
refuse("labelled" "make the container a member instead of a base")
refuse("secretive" "writes public members only")
refuse("twice" "have the same name")
refuse("constant" "needs a default constructor and members that can be assigned")
refuse("std::optional<std::optional<int>>" "JSON has only one null for both")
refuse("std::vector<std::variant<std::string, colour>>" "cannot tell the alternatives")
refuse("std::variant<int, double>" "use a serializer policy of your own")
# The default serializer of a cache is this one.
file(WRITE ${WORK}/user.cpp "#include <codynamo/cache.hpp>\n"
     "codynamo::cache<std::string_view>* refused;\n"
     "auto set() { return refused->set(\"k\", \"v\"); }\n")
compile("-std=c++20" "json_serializer cannot hold a view or a pointer")
